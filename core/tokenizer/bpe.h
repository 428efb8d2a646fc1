#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace keepset {

/// The model part of tokenizer.json, as the file says it.
struct BpeFile {
    std::unordered_map<std::string, std::int32_t> vocabulary; ///< in GPT-2's byte letters
    std::vector<std::pair<std::int32_t, std::int32_t>> merges; ///< by rank: ids of the two halves
    std::vector<std::int32_t> merged; ///< (merges): id of the whole
    bool ignore_merges = false; ///< a word that is in the vocabulary is one token, whatever the merges say
    std::optional<std::int32_t>
        unknown; ///< stands for a byte that is not in the vocabulary; without it such bytes are dropped
    bool fuse_unknown = false; ///< neighbouring unknown bytes are one token
};

/// A token of a word: its id and its bytes within the word.
struct WordToken {
    std::int32_t id = 0;
    std::int32_t begin = 0;
    std::int32_t end = 0;
};

/// Which neighbours merge, in which order, to what.
class MergeTable {
public:
    struct Merge {
        std::uint64_t pair = no_pair;
        std::int32_t rank = 0;
        std::int32_t id = 0;
    };

    MergeTable() = default;
    explicit MergeTable(const BpeFile& file);
    /// The merge of two neighbouring tokens, null where there is none.
    const Merge* find(std::int32_t left, std::int32_t right) const;

private:
    static constexpr std::uint64_t no_pair = ~std::uint64_t { 0 };
    static std::uint64_t pair_of(std::int32_t left, std::int32_t right);
    std::size_t slot_of(std::uint64_t pair) const;

    std::vector<Merge> slots_; ///< open addressing; a power of two, at most half full
};

/// Lets a map of strings be asked with a string_view.
struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view> {}(text); }
};

/// Byte-level byte-pair encoding (Sennrich et al. 2016; GPT-2). Safe to use from several threads.
class Bpe {
public:
    Bpe() = default;
    explicit Bpe(const BpeFile& file);

    /// Appends the tokens of one word (raw bytes) to `out`; O(n log n) in its length.
    void encode(std::string_view word, std::vector<WordToken>& out) const;

private:
    std::vector<WordToken> symbols_of(std::string_view word) const;

    std::unordered_map<std::string, std::int32_t, StringHash, std::equal_to<>> words_; ///< by bytes; for ignore_merges
    std::array<std::int32_t, 256> byte_ids_ {}; ///< -1: not in the vocabulary
    MergeTable merges_;
    bool ignore_merges_ = false;
    std::optional<std::int32_t> unknown_;
    bool fuse_unknown_ = false;
};

/// Words met before in one text, with their tokens: text repeats itself.
class WordCache {
public:
    explicit WordCache(const Bpe& bpe)
        : bpe_(bpe)
    {
    }
    /// Tokens of `word`, valid until the next call.
    std::span<const WordToken> encode(std::string_view word);

private:
    struct Range {
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    const Bpe& bpe_;
    std::unordered_map<std::string, Range, StringHash, std::equal_to<>> ranges_;
    std::vector<WordToken> tokens_; ///< of all cached words, one after the other
    std::vector<WordToken> uncached_;
};

} // namespace keepset
