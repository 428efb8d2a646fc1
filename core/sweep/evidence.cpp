#include "core/sweep/evidence.h"

#include "core/policy/select.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace keepset {

namespace {

    constexpr float no_score = std::numeric_limits<float>::infinity();

    /// Adds one row of importance (context) to the facts; queries (context): how many see each key.
    void add_row(std::span<const float> row, std::span<const double> queries, ImportanceFacts& facts)
    {
        double sum = 0;
        double least = std::numeric_limits<double>::infinity();
        double most = 0;
        for (std::size_t j = 0; j < row.size(); ++j) {
            const auto value = static_cast<double>(row[j]);
            sum += value; // becomes NaN where a value is, which the two below may miss
            least = std::min(least, value);
            most = std::max(most, value / queries[j]);
        }
        const auto context = static_cast<double>(row.size());
        const double spoiled = std::isnan(sum) ? not_a_number : 0;
        facts.mass_error = maximum(facts.mass_error, std::abs(sum - context) / context);
        facts.last_key = maximum(facts.last_key, row.back() + spoiled);
        facts.least = -maximum(-facts.least, -least + spoiled);
        facts.most_of_visible = maximum(facts.most_of_visible, most + spoiled);
        facts.first_token_mass += row.front() / context + spoiled;
    }

} // namespace

std::uint64_t hash_of_ids(std::span<const std::int64_t> ids, std::uint64_t begin)
{
    std::uint64_t hash = begin;
    for (const std::int64_t id : ids) {
        for (unsigned byte = 0; byte < 8; ++byte)
            hash = (hash ^ (static_cast<std::uint64_t>(id) >> (8 * byte) & 0xFFU)) * 0x100000001b3U;
    }
    return hash;
}

std::uint64_t hash_of_ids(const at::Tensor& ids, std::uint64_t begin)
{
    const at::Tensor host = ids.cpu().contiguous();
    return hash_of_ids(std::span(host.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(host.numel())), begin);
}

double largest_magnitude(const at::Tensor& hidden) { return hidden.abs().max().item<double>(); }

ImportanceFacts measure_importance(const at::Tensor& importance, const Decoder& decoder)
{
    const at::Tensor host = importance.cpu().contiguous();
    const auto context = static_cast<std::size_t>(host.size(2));
    const auto heads = static_cast<std::size_t>(host.size(1));
    const std::span values(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel()));
    ImportanceFacts facts;
    facts.least = std::numeric_limits<double>::infinity();
    std::vector<double> queries(context);
    for (std::int64_t layer = 0; layer < host.size(0); ++layer) {
        const std::int64_t window = decoder.rule(layer).window;
        for (std::size_t j = 0; j < context; ++j) {
            const auto later = static_cast<double>(context - j);
            queries[j] = window > 0 ? std::min(static_cast<double>(window), later) : later;
        }
        for (std::size_t head = 0; head < heads; ++head)
            add_row(
                values.subspan((static_cast<std::size_t>(layer) * heads + head) * context, context), queries, facts);
    }
    facts.first_token_mass /= static_cast<double>(host.size(0) * host.size(1));
    return facts;
}

Gathered gathered(const at::Tensor& positions, std::int64_t context)
{
    const at::Tensor host = positions.cpu().contiguous();
    const auto* const places = host.const_data_ptr<std::int64_t>();
    const std::int64_t rows = host.size(0) * host.size(1);
    const std::int64_t each = host.size(2);
    KeepSet there; // what the cache holds
    there.labels.assign(static_cast<std::size_t>(rows * context), Label::evicted);
    Gathered found;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t index = 0; index < each; ++index) {
            const std::int64_t place = places[row * each + index];
            if (place < 0 || place >= context)
                continue;
            Label& label = there.labels[static_cast<std::size_t>(row * context + place)];
            found.entries += label == Label::evicted ? 1 : 0;
            found.first_kept += label == Label::evicted && place == 0 ? 1 : 0;
            label = Label::kept;
        }
    }
    found.hash = policy::hash_of(there);
    return found;
}

std::int64_t tied_rows(std::span<const float> scores, const KeepSet& set)
{
    const auto context = static_cast<std::size_t>(set.context);
    const std::size_t score_rows = scores.size() / context;
    const std::size_t sharing = set.labels.size() / scores.size();
    std::int64_t tied = 0;
    for (std::size_t row = 0; row < score_rows; ++row) {
        const Label* const labels = &set.labels[row * sharing * context];
        float cut = no_score; // lowest score among the important
        float best_evicted = -no_score;
        for (std::size_t j = 0; j < context; ++j) {
            const float score = scores[row * context + j];
            cut = std::min(cut, labels[j] == Label::important ? score : no_score);
            best_evicted = std::max(best_evicted, labels[j] == Label::evicted ? score : -no_score);
        }
        tied += cut == best_evicted && cut < no_score ? static_cast<std::int64_t>(sharing) : 0;
    }
    return tied;
}

} // namespace keepset
