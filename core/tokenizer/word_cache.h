#pragma once

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/word_level.h"

#include <span>
#include <variant>

namespace keepset {

/// What turns words into tokens.
using Model = std::variant<Bpe, Unigram, WordLevel>;

/// Words met before in one text, with their tokens: text repeats itself.
class WordCache {
public:
    /// `model` must outlive the cache.
    explicit WordCache(const Model& model)
        : model_(model)
    {
    }
    /// Tokens of `word`, valid until the next call. Throws as the model does.
    std::span<const WordToken> encode(std::string_view word);

private:
    struct Range {
        std::size_t begin = 0;
        std::size_t size = 0;
    };
    void encode(std::string_view word, std::vector<WordToken>& out) const;

    const Model& model_;
    std::unordered_map<std::string, Range, StringHash, std::equal_to<>> ranges_;
    std::vector<WordToken> tokens_; ///< of all cached words, one after the other
    std::vector<WordToken> uncached_;
};

} // namespace keepset
