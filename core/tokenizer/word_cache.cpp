#include "core/tokenizer/word_cache.h"

namespace keepset {

void WordCache::encode(std::string_view word, std::vector<WordToken>& out) const
{
    std::visit([&](const auto& model) { model.encode(word, out); }, model_);
}

std::span<const WordToken> WordCache::encode(std::string_view word)
{
    constexpr std::size_t longest_cached = 64; // Longer words hardly come again.
    constexpr std::size_t most_words = 1U << 18U;
    if (word.size() > longest_cached) {
        uncached_.clear();
        encode(word, uncached_);
        return uncached_;
    }
    auto known = ranges_.find(word);
    if (known == ranges_.end()) {
        if (ranges_.size() == most_words) {
            ranges_.clear();
            tokens_.clear();
        }
        const std::size_t begin = tokens_.size();
        encode(word, tokens_);
        known = ranges_.emplace(std::string(word), Range { begin, tokens_.size() - begin }).first;
    }
    return std::span(tokens_).subspan(known->second.begin, known->second.size);
}

} // namespace keepset
