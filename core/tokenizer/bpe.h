#pragma once

#include "core/tokenizer/stop_look.h"
#include "core/tokenizer/vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keepset {

/// Model BPE of tokenizer.json, as the file says it.
struct BpeFile {
    Vocabulary vocabulary;
    bool byte_level = false; ///< words are bytes, spelt in GPT-2's letters in the vocabulary; else words are UTF-8
    std::vector<std::pair<std::int32_t, std::int32_t>> merges; ///< by rank: ids of the two halves
    std::vector<std::int32_t> merged; ///< (merges): id of the whole
    bool ignore_merges = false; ///< a word that is in the vocabulary is one token, whatever the merges say
    bool byte_fallback = false; ///< an unknown character is the tokens <0xNN> of its bytes, where all are there
    /// Stands for what is not in the vocabulary; without it such bytes are dropped.
    std::optional<std::int32_t> unknown;
    bool fuse_unknown = false; ///< neighbouring unknown symbols are one token
    std::string continuing_prefix; ///< before every symbol of a word but the first
    std::string end_suffix; ///< behind the last symbol of a word
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

/// Byte-pair encoding (Sennrich et al. 2016), over bytes (GPT-2) or characters (Llama 2). Safe to use from several
/// threads.
class Bpe {
public:
    Bpe() = default;
    explicit Bpe(const BpeFile& file);

    /// Appends the tokens of one word to `out`; O(n log n) in its length. Throws Cancelled.
    void encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& stop = {}) const;

    /// Bytes of the first part of `word` (not empty) whose tokens are the same whether or not the rest stands behind
    /// it: up to a U+2581 that no merge joins to what comes before it. Most of what was trained on words that begin
    /// with one is like that, and a text without a pre-tokenizer, which is one long word, falls into short ones.
    std::size_t first_part(std::string_view word) const;

private:
    std::vector<WordToken> byte_symbols(std::string_view word, StopLook look) const;
    std::vector<WordToken> character_symbols(std::string_view word, StopLook look) const;
    std::int32_t symbol_id(std::string_view character, bool first, bool last) const;
    bool push_fallback(std::string_view character, std::int32_t begin, std::vector<WordToken>& symbols) const;

    Vocabulary words_; ///< byte-level: by bytes, for ignore_merges only; else the vocabulary
    std::array<std::int32_t, 256> byte_ids_ {}; ///< of single bytes, or of byte-fallback tokens; -1: none
    bool byte_level_ = false;
    bool byte_fallback_ = false;
    std::string continuing_prefix_;
    std::string end_suffix_;
    MergeTable merges_;
    bool ignore_merges_ = false;
    std::optional<std::int32_t> unknown_;
    bool fuse_unknown_ = false;
    bool has_parts_ = false; ///< no merge joins a U+2581 to another character before it
};

} // namespace keepset
