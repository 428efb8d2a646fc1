#include "core/pass/padded_points.h"

#include "core/attention/attend.h"
#include "core/device/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/take.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <limits>
#include <span>

namespace keepset {

namespace {

    constexpr std::int64_t behind_all = std::numeric_limits<std::int32_t>::max(); ///< a place that no query sees
    constexpr std::int64_t most_elements = 1 << 24; ///< of keys that are in memory at once on a GPU

} // namespace

PaddedPoints::PaddedPoints(
    const KeptPositions& kept, const std::vector<std::size_t>& points, std::int64_t own, bool repacked)
    : layers_(kept.layers)
    , kv_heads_(kept.kv_heads)
    , own_(own)
    , repacked_(repacked)
{
    for (const std::size_t point : points)
        budgets_.push_back(kept.budgets[point]);
    const std::int64_t longest = std::ranges::max(budgets_);
    const at::Tensor budget = to_device(budgets_, kept.positions.device()).unsqueeze(1); // (points, 1)
    first_query_ = repacked ? budget : at::full_like(budget, kept.context);
    nth_ = at::arange(longest, budget.options()) - (longest - budget);
    const at::Tensor from = kept.starts(points).unsqueeze(2) + nth_.clamp_min(0).unsqueeze(1);
    positions_ = at::take(kept.positions, from.clamp_max(kept.positions.size(0) - 1)).to(at::kLong);
    positions_ = positions_.mul_(nth_.ge(0).unsqueeze(1)).view({ -1, layers_, kv_heads_, longest });
}

at::Tensor PaddedPoints::attend(const PaddedLayer& layer, const Projected& parts, const std::stop_token& stop) const
{
    const std::int64_t points = parts.q.size(0);
    const std::int64_t elements = kv_heads_ * (nth_.size(1) + own_) * parts.k.size(3); // of a point's keys
    const std::int64_t together = parts.q.is_cuda() ? std::clamp<std::int64_t>(most_elements / elements, 1, points) : 1;
    std::vector<at::Tensor> outputs;
    for (std::int64_t begin = 0; begin < points; begin += together)
        outputs.push_back(attend_some(layer, parts, { begin, std::min(begin + together, points) }, stop));
    return at::cat(outputs);
}

at::Tensor PaddedPoints::attend_some(
    const PaddedLayer& layer, const Projected& parts, const Some& some, const std::stop_token& stop) const
{
    const auto index = static_cast<std::size_t>(layer.layer);
    const at::Device device = parts.q.device();
    const std::int64_t points = some.end - some.begin;
    const std::int64_t rows = points * kv_heads_;
    const std::int64_t head_dim = parts.q.size(3);
    const auto of_some = [&](const at::Tensor& all) { return all.slice(0, some.begin, some.end); };
    const std::int64_t longest = std::ranges::max(
        std::span(budgets_).subspan(static_cast<std::size_t>(some.begin), static_cast<std::size_t>(points)));
    const std::int64_t filled = nth_.size(1) - longest;
    const at::Tensor kept
        = of_some(positions_).select(1, layer.layer).slice(2, filled).to(device).reshape({ rows, longest });
    const at::Tensor nth = of_some(nth_).slice(1, filled).to(device).repeat_interleave(kv_heads_, 0); // (rows, longest)
    const at::Tensor taken = kept.view({ points, kv_heads_, longest, 1 }).expand({ -1, -1, -1, head_dim });
    const auto gathered = [&](const at::Tensor& all) { // (kv_heads, context, head_dim) → (rows, longest, head_dim)
        return at::gather(all.expand({ points, -1, -1, -1 }), 2, taken).view({ rows, longest, head_dim });
    };
    const auto with_own = [&](const at::Tensor& before, const at::Tensor& own) {
        return at::cat({ before, of_some(own).reshape({ rows, own_, head_dim }) }, 1).unsqueeze(0);
    };
    at::Tensor keys = gathered(layer.context.keys[index]);
    if (repacked_)
        keys = layer.decoder.turn_keys(layer.layer, keys, nth - kept, layer.length);
    const at::Tensor first = of_some(first_query_).to(device).repeat_interleave(kv_heads_, 0); // (rows, 1)
    const at::Tensor own = first + at::arange(own_, first.options()); // (rows, own)
    const at::Tensor places = at::where(nth.ge(0), repacked_ ? nth : kept, behind_all);
    // Every (point, kv head) is a kv head of one sample.
    ScoreRule rule = layer.rule;
    if (rule.alibi_slopes.defined())
        rule.alibi_slopes = rule.alibi_slopes.repeat(points);
    const at::Tensor q = of_some(parts.q).reshape({ 1, points * parts.q.size(1), own_, head_dim });
    const at::Tensor output = attend_at(q, with_own(keys, parts.k),
        with_own(gathered(layer.context.values[index]), parts.v), rule, { own, at::cat({ places, own }, 1) }, stop)
                                  .output;
    return output.view({ points, -1, own_, head_dim });
}

} // namespace keepset
