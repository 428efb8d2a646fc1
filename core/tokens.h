#pragma once

#include "core/task.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

/// Texts and their tokens.
namespace keepset {

struct Text {
    std::string name; ///< file name, or "pasted"
    std::string bytes; ///< UTF-8, checked by the tokenizer
};

/// One token and the bytes of the user's text it stands for. A BOS that the tokenizer adds has begin == end.
struct Token {
    std::int32_t id = 0;
    std::int64_t byte_begin = 0;
    std::int64_t byte_end = 0;
    std::string
        text; ///< those bytes; U+FFFD where they are a piece of a character; "<s>"-like name where there are none
};

/// Their ids, as models take them.
std::vector<std::int64_t> ids_of(const std::vector<Token>& tokens);

/// A text as the tokenizers library gives it.
struct TokenizedText {
    std::vector<Token> tokens; ///< with what a template puts before the text and behind it
    std::vector<std::string> notes; ///< as Engine::text_notes
};

/// Tokens of a text by a folder's tokenizer.json alone.
TokenizedText tokenize(const std::filesystem::path& folder, const Text& text, const Task& task = {});

/// How long a text is, without its tokens.
struct TokenCount {
    std::int64_t tokens = 0; ///< as many as Engine::tokenize gives, or `most`
    bool all = true; ///< false: there may be more
    std::vector<std::string> notes; ///< as Engine::text_notes
};
/// Counts the tokens of a text by a folder's tokenizer.json alone, the first `most` of them, so that no engine need be
/// free for it. Throws Error{input} and Cancelled.
TokenCount count_tokens(const std::filesystem::path& folder, const Text& text,
    std::size_t most = std::numeric_limits<std::size_t>::max(), const Task& task = {});

/// Reads a text file ("-": standard input). Throws Error{input}: missing, a directory, unreadable, invalid UTF-8
/// (offset named).
Text read_text(const std::string& path);

} // namespace keepset
