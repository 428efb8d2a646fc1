#pragma once

#include "core/tokens.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace keepset {

/// A tokenizer read from tokenizer.json (BPE over bytes or characters, Unigram, WordLevel) whose ids equal those of the
/// `tokenizers` library and whose tokens know their bytes in the user's text. Cheap to copy; everything but assignment
/// is safe from several threads.
///     const auto tokens = Tokenizer::load(folder / "tokenizer.json").encode("Hello");
class Tokenizer {
public:
    /// Throws Error{input} naming file, field and value where Keepset does not read what the file asks for.
    static Tokenizer load(const std::filesystem::path& tokenizer_json);

    /// Tokens of a text in order. Byte ranges ascend, never overlap, and cover the text wherever the tokenizer drops
    /// nothing. With add_special, the BOS comes first (byte range 0 to 0) where the post-processor puts one; what it
    /// would put BEHIND the text (EOS) is not among them: a text that is scored ends where the user's text ends.
    /// Of a long text the first `most` tokens, which are those that the whole text begins with, cost less than all.
    /// Throws Error{input} with the offset where `utf8` is no UTF-8, and Cancelled.
    std::vector<Token> encode(const std::string& utf8, bool add_special = true, const std::stop_token& stop = {},
        std::size_t most = std::numeric_limits<std::size_t>::max()) const;

    /// Highest id of model and added tokens, plus 1.
    std::int64_t vocabulary() const;
    /// The id that the post-processor puts first (SEMANTICS 5).
    std::optional<std::int32_t> bos() const;
    /// What the post-processor puts behind a text of so many bytes.
    std::vector<Token> behind(std::int64_t bytes) const;
    /// What a user should know about a text in UTF-8: two BOS tokens, an EOS that is left out, a byte-order mark,
    /// Windows' line ends. Sentences.
    std::vector<std::string> notes_about(const std::string& utf8) const;
    /// What the file asks for and Keepset leaves out on purpose (truncation, padding), and where tokenizer_config.json
    /// beside it contradicts it; as sentences without a full stop.
    const std::vector<std::string>& notes() const;
    /// What a token stands for by itself, for showing: its bytes (U+FFFD for pieces of characters), or an added token's
    /// name. Empty for an id that no token has.
    std::string token_text(std::int32_t id) const;

private:
    struct Impl;
    explicit Tokenizer(std::shared_ptr<const Impl> impl);
    std::shared_ptr<const Impl> impl_;
};

} // namespace keepset
