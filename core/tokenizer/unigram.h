#pragma once

#include "core/tokenizer/stop_look.h"
#include "core/tokenizer/vocabulary.h"

#include <array>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keepset {

/// Model Unigram of tokenizer.json, as the file says it.
struct UnigramFile {
    std::vector<std::pair<std::string, double>> tokens; ///< by id: token and score (natural log)
    std::optional<std::int32_t> unknown; ///< stands for what no token spells
    bool byte_fallback = false; ///< unknown text is the tokens <0xNN> of its bytes, where all are there
};

/// Tokens by their bytes: finds all that begin at a place.
class TokenTrie {
public:
    TokenTrie() = default;
    explicit TokenTrie(const std::vector<std::pair<std::string, double>>& tokens);

    static constexpr std::int32_t root = 0;
    static constexpr std::int32_t none = -1;
    /// The node one byte further, or none.
    std::int32_t child(std::int32_t node, char byte) const;
    /// The token that ends at a node, or none; of equal tokens the last.
    std::int32_t token_at(std::int32_t node) const { return tokens_[static_cast<std::size_t>(node)]; }
    /// The token that is `text`, or none.
    std::int32_t find(std::string_view text) const;

private:
    struct Edge {
        std::int64_t key = none; ///< node and byte
        std::int32_t child = none;
    };
    std::size_t slot_of(std::int64_t key) const;

    std::vector<Edge> edges_; ///< open addressing; a power of two, at most half full
    std::vector<std::int32_t> tokens_; ///< (nodes)
};

/// Unigram language model (Kudo 2018): of all ways to cut a word into tokens the one with the highest sum of scores.
/// Safe to use from several threads.
class Unigram {
public:
    Unigram() = default;
    explicit Unigram(const UnigramFile& file);

    /// Appends the tokens of one word (UTF-8); linear in its length. Throws Error{input} where a character is unknown
    /// and nothing stands for it; Cancelled.
    void encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& stop = {}) const;

private:
    /// The best way to an offset.
    struct Best {
        double score = 0;
        std::int32_t begin = -1; ///< of its last token; -1: no way yet
        std::int32_t id = 0;
    };
    std::vector<Best> best_ways(std::string_view word, StopLook& look) const;
    void extend(std::vector<Best>& best, std::string_view word, std::size_t begin) const;
    void push(std::string_view word, std::int32_t begin, std::int32_t end, std::vector<WordToken>& out) const;

    TokenTrie trie_;
    std::vector<double> scores_; ///< (tokens)
    double unknown_score_ = 0;
    std::optional<std::int32_t> unknown_;
    bool byte_fallback_ = false;
    std::array<std::int32_t, 256> byte_ids_ {}; ///< of byte-fallback tokens; -1: none
};

} // namespace keepset
