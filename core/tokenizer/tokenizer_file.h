#pragma once

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/bpe.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/word_level.h"

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keepset {

/// What a post-processor adds to a text.
struct Specials {
    std::optional<std::int32_t> bos; ///< in front
    std::vector<std::int32_t> behind; ///< behind the text, such as an EOS
};

using ModelFile = std::variant<BpeFile, UnigramFile, WordLevel>;

/// What a tokenizer.json says, as far as it bears on ids.
struct TokenizerFile {
    std::vector<NormalizerStep> normalizer; ///< in this order
    std::vector<PreTokenizerStep> pre_tokenizer; ///< in this order
    ModelFile model;
    std::vector<AddedToken> added_tokens; ///< special ones first, then in the order of the file
    Specials specials; ///< of the post-processor
    std::vector<std::string> notes; ///< sentences: what the file asks for and Keepset leaves out
};

/// Reads a tokenizer.json. Throws Error{input} with file, field and value for everything that Keepset does not do as
/// the tokenizers library does. Nothing is ignored, except the decoder, which bears on no id, and truncation and
/// padding, each with a note.
TokenizerFile read_tokenizer_file(const std::filesystem::path& path);

} // namespace keepset
