#include "core/pass/padded_points.h"

#include "core/attention/attend.h"
#include "core/device/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/take.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace keepset {

namespace {

    constexpr std::int64_t behind_all = std::numeric_limits<std::int32_t>::max(); ///< a place that no query sees
    constexpr std::int64_t most_elements = 1 << 24; ///< of keys that are in memory at once on a GPU

} // namespace

PaddedPoints::PaddedPoints(const KeptPositions& kept, std::vector<std::size_t> points, std::int64_t own, bool repacked)
    : kept_(kept)
    , points_(std::move(points))
    , own_(own)
    , repacked_(repacked)
    , starts_(kept.starts(points_))
    , counts_(kept.row_counts(points_))
{
    std::vector<std::int64_t> first_query;
    first_query.reserve(points_.size());
    for (const std::size_t point : points_)
        first_query.push_back(repacked ? kept.most(point) : kept.context);
    first_query_ = to_device(first_query, starts_.device());
}

/// The most that a (point, kv head) kept in a layer.
std::int64_t PaddedPoints::longest(std::int64_t layer, const Some& some) const
{
    std::int64_t most = 0;
    for (std::int64_t point = some.begin; point < some.end; ++point)
        most = std::max(most, kept_.most(points_[static_cast<std::size_t>(point)], layer));
    return most;
}

at::Tensor PaddedPoints::attend(const PaddedLayer& layer, const Projected& parts, const std::stop_token& stop) const
{
    const std::int64_t points = parts.q.size(0);
    const std::int64_t elements // of a point's keys
        = kept_.kv_heads * (longest(layer.layer, { 0, points }) + own_) * parts.k.size(3);
    const std::int64_t together = parts.q.is_cuda() ? std::clamp<std::int64_t>(most_elements / elements, 1, points) : 1;
    std::vector<at::Tensor> outputs;
    for (std::int64_t begin = 0; begin < points; begin += together)
        outputs.push_back(attend_some(layer, parts, { begin, std::min(begin + together, points) }, stop));
    return at::cat(outputs);
}

PaddedPoints::Rows PaddedPoints::rows_of(std::int64_t layer, const Some& some, at::Device device) const
{
    const std::int64_t heads = kept_.kv_heads;
    const auto of_layer = [&](const at::Tensor& all) { // (points, layers * kv_heads) → (rows, 1)
        return all.slice(0, some.begin, some.end).slice(1, layer * heads, (layer + 1) * heads).reshape({ -1, 1 });
    };
    const std::int64_t width = longest(layer, some);
    const at::Tensor counts = of_layer(counts_);
    const at::Tensor column = at::arange(width, counts.options());
    const at::Tensor nth = column - (width - counts); // negative before them
    const at::Tensor from = of_layer(starts_) + nth.clamp_min(0);
    Rows rows;
    rows.is_kept = nth.ge(0);
    rows.positions = at::take(kept_.positions, from.clamp_max(kept_.positions.size(0) - 1)).to(at::kLong);
    rows.positions = rows.positions * rows.is_kept;
    rows.first_query = first_query_.slice(0, some.begin, some.end).repeat_interleave(heads).unsqueeze(1);
    rows.places = repacked_ ? rows.first_query + (column - width) : rows.positions;
    rows.places = at::where(rows.is_kept, rows.places, behind_all);
    for (at::Tensor* const all : { &rows.is_kept, &rows.positions, &rows.places, &rows.first_query })
        *all = all->to(device);
    return rows;
}

at::Tensor PaddedPoints::attend_some(
    const PaddedLayer& layer, const Projected& parts, const Some& some, const std::stop_token& stop) const
{
    const auto index = static_cast<std::size_t>(layer.layer);
    const std::int64_t points = some.end - some.begin;
    const std::int64_t rows = points * kept_.kv_heads;
    const std::int64_t head_dim = parts.q.size(3);
    const auto of_some = [&](const at::Tensor& all) { return all.slice(0, some.begin, some.end); };
    const Rows kept = rows_of(layer.layer, some, parts.q.device());
    const std::int64_t width = kept.positions.size(1);
    const at::Tensor taken = kept.positions.view({ points, kept_.kv_heads, width, 1 }).expand({ -1, -1, -1, head_dim });
    const auto gathered = [&](const at::Tensor& all) { // (kv_heads, context, head_dim) → (rows, width, head_dim)
        return at::gather(all.expand({ points, -1, -1, -1 }), 2, taken).view({ rows, width, head_dim });
    };
    const auto with_own = [&](const at::Tensor& before, const at::Tensor& own) {
        return at::cat({ before, of_some(own).reshape({ rows, own_, head_dim }) }, 1).unsqueeze(0);
    };
    at::Tensor keys = gathered(layer.context.keys[index]);
    if (repacked_)
        keys = layer.decoder.turn_keys(
            layer.layer, keys, (kept.places - kept.positions).mul_(kept.is_kept), layer.length);
    const at::Tensor own = kept.first_query + at::arange(own_, kept.first_query.options()); // (rows, own)
    // Every (point, kv head) is a kv head of one sample.
    ScoreRule rule = layer.rule;
    if (rule.alibi_slopes.defined())
        rule.alibi_slopes = rule.alibi_slopes.repeat(points);
    const at::Tensor q = of_some(parts.q).reshape({ 1, points * parts.q.size(1), own_, head_dim });
    const at::Tensor output = attend_at(q, with_own(keys, parts.k),
        with_own(gathered(layer.context.values[index]), parts.v), rule, { own, at::cat({ kept.places, own }, 1) }, stop)
                                  .output;
    return output.view({ points, -1, own_, head_dim });
}

} // namespace keepset
