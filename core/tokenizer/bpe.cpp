#include "core/tokenizer/bpe.h"

#include "core/error.h"
#include "core/tokenizer/utf8.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <tuple>

namespace keepset {

namespace {

    constexpr std::int32_t gone = -1; ///< as an id: merged into its left neighbour

    /// Merges the symbols of one word: the merge of lowest rank first, of equal ranks the leftmost, until none is left.
    class WordMerger {
    public:
        WordMerger(const MergeTable& merges, std::vector<WordToken>& symbols, const std::stop_token& stop)
            : merges_(merges)
            , symbols_(symbols)
            , look_(stop)
            , count_(static_cast<std::int32_t>(symbols.size()))
        {
            // All at once: what grows copies all it holds, of a long text more than a stop may wait for.
            next_.reserve(symbols.size());
            previous_.reserve(symbols.size());
            candidates_ = std::priority_queue<Candidate>({}, reserved(symbols.size()));
            for (std::int32_t at = 0; at < count_; ++at) {
                next_.push_back(at + 1);
                previous_.push_back(at - 1);
                look_.step();
                consider(at, at + 1);
            }
        }

        /// Throws Cancelled: a megabyte without a space is one word.
        void run()
        {
            while (!candidates_.empty()) {
                look_.step();
                const Candidate best = candidates_.top();
                candidates_.pop();
                if (still_holds(best))
                    merge(best);
            }
            std::erase_if(symbols_, [this](const WordToken& symbol) {
                look_.step();
                return symbol.id == gone;
            });
        }

    private:
        struct Candidate {
            std::int32_t rank;
            std::int32_t at; ///< of the left half
            std::int32_t id; ///< of the whole
            bool operator<(const Candidate& other) const
            {
                return std::tie(rank, at) > std::tie(other.rank, other.at); // The queue's top is its largest.
            }
        };

        static std::vector<Candidate> reserved(std::size_t count)
        {
            std::vector<Candidate> candidates;
            candidates.reserve(count);
            return candidates;
        }

        WordToken& symbol(std::int32_t at) { return symbols_[static_cast<std::size_t>(at)]; }
        std::int32_t& next(std::int32_t at) { return next_[static_cast<std::size_t>(at)]; }
        std::int32_t& previous(std::int32_t at) { return previous_[static_cast<std::size_t>(at)]; }

        void consider(std::int32_t left, std::int32_t right)
        {
            if (left < 0 || right >= count_)
                return;
            if (const MergeTable::Merge* found = merges_.find(symbol(left).id, symbol(right).id))
                candidates_.push({ found->rank, left, found->id });
        }

        /// A place that changed since it was queued is known by its pair no longer giving the queued id; that two pairs
        /// may give one id is how the tokenizers library sees it too, and ids must equal its ids.
        bool still_holds(const Candidate& candidate)
        {
            const std::int32_t right = next(candidate.at);
            if (symbol(candidate.at).id == gone || right == count_)
                return false;
            const MergeTable::Merge* found = merges_.find(symbol(candidate.at).id, symbol(right).id);
            return found != nullptr && found->id == candidate.id;
        }

        void merge(const Candidate& candidate)
        {
            const std::int32_t right = next(candidate.at);
            const std::int32_t behind = next(right);
            symbol(candidate.at) = { candidate.id, symbol(candidate.at).begin, symbol(right).end };
            symbol(right).id = gone;
            next(candidate.at) = behind;
            if (behind < count_)
                previous(behind) = candidate.at;
            consider(previous(candidate.at), candidate.at);
            consider(candidate.at, behind);
        }

        const MergeTable& merges_;
        std::vector<WordToken>& symbols_;
        StopLook look_; ///< a text without a space is one word, and may be long
        std::int32_t count_; ///< also: no right neighbour
        std::vector<std::int32_t> next_;
        std::vector<std::int32_t> previous_; ///< -1: no left neighbour
        std::priority_queue<Candidate> candidates_;
    };

    constexpr std::string_view metaspace = "\u2581";

    /// See Bpe::first_part(). Nothing may reach over the cut: no merge, affix or whole word, and no unknown symbol
    /// either, which the U+2581 ends by being known.
    bool has_parts(const BpeFile& file)
    {
        const bool plain = !file.byte_level && !file.ignore_merges && file.continuing_prefix.empty()
            && file.end_suffix.empty() && file.vocabulary.contains(metaspace);
        if (!plain)
            return false;
        std::unordered_map<std::int32_t, std::string_view> tokens;
        for (const auto& [token, id] : file.vocabulary) {
            if (!tokens.emplace(id, token).second)
                return false; // Two tokens with one id: it cannot be told what a merge joins.
        }
        return std::none_of(file.merges.begin(), file.merges.end(), [&](const auto& merge) {
            return tokens.at(merge.second).starts_with(metaspace) && !tokens.at(merge.first).ends_with(metaspace);
        });
    }

} // namespace

MergeTable::MergeTable(const BpeFile& file)
    : slots_(std::bit_ceil(2 * file.merges.size() + 1))
{
    for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
        const std::uint64_t pair = pair_of(file.merges[rank].first, file.merges[rank].second);
        slots_[slot_of(pair)] = { pair, static_cast<std::int32_t>(rank), file.merged[rank] };
    }
}

std::uint64_t MergeTable::pair_of(std::int32_t left, std::int32_t right)
{
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U | static_cast<std::uint32_t>(right);
}

/// Where `pair` stands, or the free place where it would.
std::size_t MergeTable::slot_of(std::uint64_t pair) const
{
    const std::size_t mask = slots_.size() - 1;
    std::uint64_t hash = pair * 0x9E3779B97F4A7C15U; // Fibonacci hashing: the high bits are well mixed.
    hash ^= hash >> 32U;
    std::size_t slot = static_cast<std::size_t>(hash) & mask;
    while (slots_[slot].pair != no_pair && slots_[slot].pair != pair)
        slot = (slot + 1) & mask;
    return slot;
}

const MergeTable::Merge* MergeTable::find(std::int32_t left, std::int32_t right) const
{
    const std::uint64_t pair = pair_of(left, right);
    const Merge& merge = slots_[slot_of(pair)];
    return merge.pair == pair ? &merge : nullptr;
}

Bpe::Bpe(const BpeFile& file)
    : byte_level_(file.byte_level)
    , byte_fallback_(file.byte_fallback)
    , continuing_prefix_(file.continuing_prefix)
    , end_suffix_(file.end_suffix)
    , merges_(file)
    , ignore_merges_(file.ignore_merges)
    , unknown_(file.unknown)
    , fuse_unknown_(file.fuse_unknown)
    , has_parts_(has_parts(file))
{
    byte_ids_.fill(-1);
    if (!byte_level_)
        words_ = file.vocabulary;
    for (const auto& [token, id] : file.vocabulary) {
        if (!byte_level_) {
            if (const std::optional<char> byte = fallback_byte(token))
                byte_ids_[static_cast<unsigned char>(*byte)] = id;
            continue;
        }
        std::optional<std::string> bytes = bytes_of_letters(token);
        if (!bytes)
            continue; // No text can spell it; it may still be an added token.
        if (bytes->size() == 1)
            byte_ids_[static_cast<unsigned char>(bytes->front())] = id;
        if (ignore_merges_)
            words_.emplace(std::move(*bytes), id);
    }
}

void Bpe::encode(std::string_view word, std::vector<WordToken>& out, const std::stop_token& stop) const
{
    if (ignore_merges_) {
        const auto whole = words_.find(word);
        if (whole != words_.end()) {
            out.push_back({ whole->second, 0, static_cast<std::int32_t>(word.size()) });
            return;
        }
    }
    std::vector<WordToken> symbols
        = byte_level_ ? byte_symbols(word, StopLook(stop)) : character_symbols(word, StopLook(stop));
    WordMerger(merges_, symbols, stop).run();
    if (out.empty())
        out = std::move(symbols); // of a long text they are too many to be copied while a stop waits
    else
        out.insert(out.end(), symbols.begin(), symbols.end());
}

std::size_t Bpe::first_part(std::string_view word) const
{
    if (!has_parts_)
        return word.size();
    std::size_t at = 0;
    while (word.substr(at).starts_with(metaspace))
        at += metaspace.size();
    return std::min(word.find(metaspace, at), word.size());
}

/// One symbol a byte, before any merge.
std::vector<WordToken> Bpe::byte_symbols(std::string_view word, StopLook look) const
{
    std::vector<WordToken> symbols;
    symbols.reserve(word.size());
    bool after_unknown = false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        look.step();
        const auto begin = static_cast<std::int32_t>(i);
        const std::int32_t id = byte_ids_[static_cast<unsigned char>(word[i])];
        if (id >= 0)
            symbols.push_back({ id, begin, begin + 1 });
        else if (unknown_ && after_unknown && fuse_unknown_)
            symbols.back().end = begin + 1;
        else if (unknown_)
            symbols.push_back({ *unknown_, begin, begin + 1 });
        after_unknown = id < 0;
    }
    return symbols;
}

/// Id of a character of a word; -1 where the vocabulary lacks it.
std::int32_t Bpe::symbol_id(std::string_view character, bool first, bool last) const
{
    const bool prefix = !first && !continuing_prefix_.empty();
    const bool suffix = last && !end_suffix_.empty();
    auto found = words_.end();
    if (prefix || suffix)
        found = words_.find((prefix ? continuing_prefix_ : "") + std::string(character) + (suffix ? end_suffix_ : ""));
    else
        found = words_.find(character);
    return found == words_.end() ? -1 : found->second;
}

/// The byte-fallback tokens of a character; false where the vocabulary lacks one.
bool Bpe::push_fallback(std::string_view character, std::int32_t begin, std::vector<WordToken>& symbols) const
{
    const auto id_of = [this](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
    if (!byte_fallback_ || std::any_of(character.begin(), character.end(), [&](char byte) { return id_of(byte) < 0; }))
        return false;
    for (const char byte : character) {
        symbols.push_back({ id_of(byte), begin, begin + 1 });
        ++begin;
    }
    return true;
}

/// One symbol a character, or a byte of one, before any merge.
std::vector<WordToken> Bpe::character_symbols(std::string_view word, StopLook look) const
{
    std::vector<WordToken> symbols;
    symbols.reserve(word.size());
    std::optional<WordToken> waiting; // an unknown symbol that may grow
    bool overtaken = false;
    const auto flush = [&] {
        if (waiting)
            symbols.push_back(*waiting);
        waiting.reset();
    };
    for (std::size_t at = 0; at < word.size();) {
        look.step();
        const std::string_view character = word.substr(at, utf8_length(word[at]));
        const auto begin = static_cast<std::int32_t>(at);
        const auto end = begin + static_cast<std::int32_t>(character.size());
        at += character.size();
        const std::int32_t id = symbol_id(character, begin == 0, at == word.size());
        if (id >= 0) {
            flush();
            symbols.push_back({ id, begin, end });
        } else if (push_fallback(character, begin, symbols)) {
            overtaken = overtaken || waiting; // As in the library, an unknown symbol stays behind such bytes.
        } else if (unknown_ && waiting && fuse_unknown_) {
            waiting->end += end - begin;
        } else if (unknown_) {
            flush();
            waiting = { *unknown_, begin, end };
        }
    }
    flush();
    if (overtaken) { // Ranges in the order of the symbols, so that they ascend.
        std::int32_t begin = 0;
        for (WordToken& symbol : symbols) {
            symbol = { symbol.id, begin, begin + symbol.end - symbol.begin };
            begin = symbol.end;
        }
    }
    return symbols;
}

} // namespace keepset
