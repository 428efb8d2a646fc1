#include "core/tokenizer/unigram.h"

#include "core/error.h"
#include "core/tokenizer/utf8.h"

#include <algorithm>
#include <bit>

namespace keepset {

namespace {

    std::int64_t key_of(std::int32_t node, char byte)
    {
        return static_cast<std::int64_t>(node) << 8 | static_cast<std::int64_t>(static_cast<unsigned char>(byte));
    }

} // namespace

TokenTrie::TokenTrie(const std::vector<std::pair<std::string, double>>& tokens)
{
    std::size_t bytes = 1;
    for (const auto& [token, score] : tokens)
        bytes += token.size();
    edges_.resize(std::bit_ceil(2 * bytes));
    tokens_.assign(1, none);
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        std::int32_t node = root;
        for (const char byte : tokens[id].first) {
            Edge& edge = edges_[slot_of(key_of(node, byte))];
            if (edge.child == none) {
                edge = { key_of(node, byte), static_cast<std::int32_t>(tokens_.size()) };
                tokens_.push_back(none);
            }
            node = edge.child;
        }
        tokens_[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(id);
    }
}

/// Where `key` stands, or the free place where it would.
std::size_t TokenTrie::slot_of(std::int64_t key) const
{
    const std::size_t mask = edges_.size() - 1;
    std::uint64_t hash = static_cast<std::uint64_t>(key) * 0x9E3779B97F4A7C15U; // Fibonacci hashing
    hash ^= hash >> 32U;
    std::size_t slot = static_cast<std::size_t>(hash) & mask;
    while (edges_[slot].child != none && edges_[slot].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

std::int32_t TokenTrie::child(std::int32_t node, char byte) const { return edges_[slot_of(key_of(node, byte))].child; }

std::int32_t TokenTrie::find(std::string_view text) const
{
    std::int32_t node = root;
    for (const char byte : text) {
        node = child(node, byte);
        if (node == none)
            return none;
    }
    return token_at(node);
}

Unigram::Unigram(const UnigramFile& file)
    : trie_(file.tokens)
    , unknown_(file.unknown)
    , byte_fallback_(file.byte_fallback)
{
    constexpr double unknown_penalty = 10; // SentencePiece's kUnkPenalty
    byte_ids_.fill(-1);
    double lowest = file.tokens.empty() ? 0 : file.tokens.front().second;
    for (std::size_t id = 0; id < file.tokens.size(); ++id) {
        const auto& [token, score] = file.tokens[id];
        scores_.push_back(score);
        lowest = std::min(lowest, score);
        if (const std::optional<char> byte = fallback_byte(token))
            byte_ids_[static_cast<unsigned char>(*byte)] = static_cast<std::int32_t>(id);
    }
    unknown_score_ = lowest - unknown_penalty;
}

/// Ways that go on from `begin` by one token. Of equal scores the first stays, which is the longest last token.
void Unigram::extend(std::vector<Best>& best, std::string_view word, std::size_t begin) const
{
    const double so_far = best[begin].score;
    const auto offer = [&](std::size_t end, double score, std::int32_t id) {
        if (best[end].begin < 0 || score > best[end].score)
            best[end] = { score, static_cast<std::int32_t>(begin), id };
    };
    const std::size_t one_character = utf8_length(word[begin]);
    bool known_character = false;
    std::int32_t node = TokenTrie::root;
    for (std::size_t end = begin; end < word.size();) {
        node = trie_.child(node, word[end]);
        if (node == TokenTrie::none)
            break;
        ++end;
        const std::int32_t id = trie_.token_at(node);
        if (id == TokenTrie::none)
            continue;
        offer(end, scores_[static_cast<std::size_t>(id)] + so_far, id);
        known_character = known_character || end - begin == one_character;
    }
    if (known_character)
        return;
    if (!unknown_)
        throw Error(ErrorKind::input,
            "the tokenizer has no token for '" + std::string(word.substr(begin, one_character))
                + "', and none that stands for unknown text.",
            "Take a text in characters that the model knows.");
    offer(begin + one_character, unknown_score_ + so_far, *unknown_);
}

std::vector<Unigram::Best> Unigram::best_ways(std::string_view word, StopLook& look) const
{
    std::vector<Best> best;
    best.reserve(word.size() + 1);
    while (best.size() <= word.size()) {
        look.look();
        best.resize(std::min(word.size() + 1, best.size() + bytes_between_looks));
    }
    for (std::size_t begin = 0; begin < word.size(); begin += utf8_length(word[begin])) {
        look.step();
        extend(best, word, begin);
    }
    return best;
}

/// The token of one piece, or what stands for it where it is none.
void Unigram::push(std::string_view word, std::int32_t begin, std::int32_t end, std::vector<WordToken>& out) const
{
    const std::string_view piece = word.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    const std::int32_t id = trie_.find(piece);
    const auto byte_id = [this](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
    const auto has_none = [&](char byte) { return byte_id(byte) < 0; };
    if (id != TokenTrie::none)
        out.push_back({ id, begin, end });
    else if (!byte_fallback_ || std::any_of(piece.begin(), piece.end(), has_none))
        out.push_back({ *unknown_, begin, end });
    else {
        for (const char byte : piece) {
            out.push_back({ byte_id(byte), begin, begin + 1 });
            ++begin;
        }
    }
}

void Unigram::encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& stop) const
{
    StopLook look(stop);
    const std::vector<Best> best = best_ways(word, look);
    std::vector<std::pair<std::int32_t, std::int32_t>> pieces; // from back to front
    bool after_unknown = false;
    for (auto end = static_cast<std::int32_t>(word.size()); end > 0;) {
        look.step();
        const Best& last = best[static_cast<std::size_t>(end)];
        const bool unknown = unknown_ && last.id == *unknown_;
        if (unknown && after_unknown)
            pieces.back().first = last.begin;
        else
            pieces.emplace_back(last.begin, end);
        after_unknown = unknown;
        end = last.begin;
    }
    std::reverse(pieces.begin(), pieces.end());
    for (const auto& [begin, end] : pieces) {
        look.step();
        push(word, begin, end, out);
    }
}

} // namespace keepset
