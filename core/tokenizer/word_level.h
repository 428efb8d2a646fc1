#pragma once

#include "core/tokenizer/vocabulary.h"

#include <optional>
#include <stop_token>
#include <vector>

namespace keepset {

/// Model WordLevel of tokenizer.json: a word is a token.
struct WordLevel {
    Vocabulary vocabulary;
    std::optional<std::int32_t> unknown; ///< stands for words that are not in the vocabulary

    /// Appends the token of a word. Throws Error{input} where the word is unknown and nothing stands for it.
    void encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& stop = {}) const;
};

} // namespace keepset
