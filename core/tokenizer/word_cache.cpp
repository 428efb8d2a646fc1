#include "core/tokenizer/word_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace keepset {

namespace {

    constexpr std::size_t longest_known = 64; ///< (bytes) Longer words hardly come again.
    constexpr std::size_t first_slots = 1U << 12U;
    constexpr std::size_t most_slots = 1U << 19U;

    /// Eight bytes at a time, each mixed in by a multiplication.
    std::uint32_t hash_of(std::string_view word)
    {
        constexpr std::uint64_t factor = 0x9E3779B97F4A7C15U;
        std::uint64_t hash = word.size();
        std::uint64_t eight = 0;
        for (; word.size() > sizeof eight; word.remove_prefix(sizeof eight)) {
            std::memcpy(&eight, word.data(), sizeof eight);
            hash = (hash ^ eight) * factor;
            hash ^= hash >> 32U;
        }
        eight = 0;
        std::memcpy(&eight, word.data(), word.size());
        hash = (hash ^ eight) * factor;
        return static_cast<std::uint32_t>(hash >> 32U);
    }

} // namespace

WordCache::WordCache(const Model& model, std::stop_token stop)
    : model_(model)
    , stop_(std::move(stop))
    , slots_(first_slots)
{
}

void WordCache::encode_with_model(std::string_view word, std::vector<WordToken>& out) const
{
    std::visit([&](const auto& model) { model.encode(word, out, stop_); }, model_);
}

/// Where `word` stands, or the free place where it would.
WordCache::Slot& WordCache::slot_of(std::string_view word, std::uint32_t hash)
{
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        const bool same = slot.hash == hash && slot.size == word.size()
            && std::memcmp(words_.data() + slot.word, word.data(), word.size()) == 0;
        if (slot.size == 0 || same)
            return slot;
    }
}

/// Twice as many slots; where there are enough of them, all is forgotten.
void WordCache::make_room()
{
    std::vector<Slot> before(slots_.size() < most_slots ? slots_.size() * 2 : slots_.size());
    before.swap(slots_);
    if (before.size() == slots_.size()) {
        known_ = 0;
        words_.clear();
        tokens_.clear();
        return;
    }
    for (const Slot& slot : before) {
        if (slot.size > 0)
            slot_of(std::string_view(words_).substr(slot.word, slot.size), slot.hash) = slot;
    }
}

std::span<const WordToken> WordCache::encode_known(std::string_view word)
{
    const std::uint32_t hash = hash_of(word);
    Slot* slot = &slot_of(word, hash);
    if (slot->size == 0) {
        if (2 * (known_ + 1) > slots_.size()) {
            make_room();
            slot = &slot_of(word, hash);
        }
        const std::size_t begin = tokens_.size();
        encode_with_model(word, tokens_);
        *slot = { hash, static_cast<std::uint32_t>(word.size()), words_.size(), begin, tokens_.size() - begin };
        words_ += word;
        ++known_;
    }
    return std::span(tokens_).subspan(slot->tokens, slot->count);
}

void WordCache::encode(std::string_view word, const Use& use)
{
    if (word.size() <= longest_known) {
        use(encode_known(word), 0);
        return;
    }
    const Bpe* bpe = std::get_if<Bpe>(&model_);
    for (std::int64_t begin = 0; !word.empty();) {
        const std::string_view part = word.substr(0, bpe != nullptr ? bpe->first_part(word) : word.size());
        word.remove_prefix(part.size());
        if (part.size() <= longest_known) {
            use(encode_known(part), begin);
        } else {
            long_part_.clear();
            encode_with_model(part, long_part_);
            use(long_part_, begin);
        }
        begin += static_cast<std::int64_t>(part.size());
    }
}

} // namespace keepset
