#pragma once

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/word_level.h"

#include <functional>
#include <span>
#include <stop_token>
#include <variant>

namespace keepset {

/// What turns words into tokens.
using Model = std::variant<Bpe, Unigram, WordLevel>;

/// Words met before in one text, with their tokens: text repeats itself.
class WordCache {
public:
    /// `model` must outlive the cache. A word that takes long ends with Cancelled on `stop`.
    explicit WordCache(const Model& model, std::stop_token stop = {});

    /// Gives `use` the tokens of `word`, a part of it at a time with the byte where the part begins: a text without a
    /// piece that ends is one word, and its tokens together are memory that could not be moved while a stop waits.
    /// Throws as the model does, and Cancelled.
    using Use = std::function<void(std::span<const WordToken> tokens, std::int64_t begin)>;
    void encode(std::string_view word, const Use& use);

private:
    /// A word that is known; size 0: free.
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t size = 0; ///< (bytes)
        std::size_t word = 0; ///< its place in words_
        std::size_t tokens = 0; ///< the place of its tokens in tokens_
        std::size_t count = 0; ///< of them
    };
    std::span<const WordToken> encode_known(std::string_view word);
    void encode_with_model(std::string_view word, std::vector<WordToken>& out) const;
    Slot& slot_of(std::string_view word, std::uint32_t hash);
    void make_room();

    const Model& model_;
    std::stop_token stop_;
    std::vector<Slot> slots_; ///< open addressing; a power of two, at most half full
    std::size_t known_ = 0; ///< slots in use
    std::string words_; ///< one after the other
    std::vector<WordToken> tokens_; ///< of all known words, one after the other
    std::vector<WordToken> long_part_;
};

} // namespace keepset
