#include "core/pass/packed_points.h"

#include "core/attention/attend_rule_cuda.h"
#include "core/device/streams.h"
#include "core/device/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <array>
#include <utility>

namespace keepset {

namespace {

    /// As it is where the elements of a row lie side by side.
    at::Tensor contiguous_rows(const at::Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); }

    /// x (points or 1, kv_heads, tokens, head_dim).
    kernels::KeyRows key_rows(const at::Tensor& x)
    {
        return { x.const_data_ptr(), x.size(0) == 1 ? 0 : x.stride(0), x.stride(1), x.stride(2) };
    }

} // namespace

PackedPoints::PackedPoints(
    const KeptPositions& kept, std::vector<std::size_t> points, std::int64_t own, at::ScalarType dtype, bool repacked)
    : kept_(kept)
    , points_(std::move(points))
    , own_(own)
    , side_by_side_(dtype != at::kFloat)
    , repacked_(repacked)
    , starts_(kept.starts(points_))
{
    std::vector<std::int32_t> ends { 0 };
    std::vector<std::int32_t> key_ends { 0 };
    std::vector<std::int32_t> first_query;
    for (const std::size_t point : points_) {
        const std::int64_t length = kept.budgets[point] + own;
        longest_ = std::max(longest_, length);
        first_query.push_back(static_cast<std::int32_t>(repacked ? kept.budgets[point] : kept.context));
        for (std::int64_t head = 0; head < kept.kv_heads; ++head) {
            all_ += length;
            ends.push_back(static_cast<std::int32_t>(all_));
        }
        if (side_by_side_)
            key_ends.push_back(static_cast<std::int32_t>(all_ / kept.kv_heads));
    }
    if (!side_by_side_)
        key_ends = ends;
    std::vector<std::int32_t> query_ends;
    for (std::size_t sequence = 0; sequence < key_ends.size(); ++sequence)
        query_ends.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(sequence) * own));
    ends_ = to_device(ends, starts_.device());
    key_ends_ = to_device(key_ends, starts_.device());
    query_ends_ = to_device(query_ends, starts_.device());
    first_query_ = to_device(first_query, starts_.device());
}

PackedKeys PackedPoints::pack(std::int64_t layer, const at::Tensor& context_keys, const at::Tensor& context_values,
    const Projected& parts, const Backend& backend) const
{
    const at::Device device = context_keys.device();
    const c10::DeviceGuard guard(device);
    // Where the layer lies on another GPU than the positions, they come along.
    const at::Tensor positions = kept_.positions.to(device);
    const at::Tensor starts = starts_.to(device);
    const at::Tensor ends = ends_.to(device);
    const std::int64_t packed_dim = padded_head_dim(context_keys.size(2));
    PackedKeys packed { at::empty({ all_, packed_dim }, context_keys.options()),
        at::empty({ all_, packed_dim }, context_keys.options()) };
    // (points, kv_heads, tokens, head_dim), the context's for all points.
    const std::array sources { contiguous_rows(context_keys.unsqueeze(0)), contiguous_rows(context_values.unsqueeze(0)),
        contiguous_rows(parts.k), contiguous_rows(parts.v) };
    kernels::PackInputs inputs;
    inputs.element_bytes = context_keys.element_size();
    inputs.points = static_cast<std::int64_t>(points_.size());
    inputs.kv_heads = kept_.kv_heads;
    inputs.own = own_;
    inputs.head_dim = context_keys.size(2);
    inputs.packed_dim = packed_dim;
    inputs.longest = longest_;
    inputs.keys = key_rows(sources[0]);
    inputs.values = key_rows(sources[1]);
    inputs.own_keys = key_rows(sources[2]);
    inputs.own_values = key_rows(sources[3]);
    inputs.positions = positions.const_data_ptr<std::int32_t>();
    inputs.starts = starts.const_data_ptr<std::int64_t>() + layer * kept_.kv_heads;
    inputs.starts_stride = kept_.layers * kept_.kv_heads;
    inputs.ends = ends.const_data_ptr<std::int32_t>();
    inputs.side_by_side = side_by_side_;
    inputs.packed_keys = packed.keys.mutable_data_ptr();
    inputs.packed_values = packed.values.mutable_data_ptr();
    backend.cuda->pack_kept(inputs, current_stream(device));
    return packed;
}

at::Tensor PackedPoints::shifts(std::int64_t layer) const
{
    std::vector<at::Tensor> moved;
    for (const std::size_t point : points_) {
        const at::Tensor kept = kept_.of(point)[layer].to(at::kLong); // (kv_heads, k)
        const at::Tensor own = at::zeros({ kept.size(0), own_ }, kept.options());
        const at::Tensor by_head = at::cat({ at::arange(kept.size(1), kept.options()) - kept, own }, 1);
        moved.push_back((side_by_side_ ? by_head.t() : by_head).flatten());
    }
    return at::cat(moved);
}

/// (all / kv_heads, kv_heads, packed_dim)
at::Tensor PackedPoints::by_head(const at::Tensor& packed) const
{
    return packed.view({ -1, kept_.kv_heads, packed.size(1) });
}

at::Tensor PackedPoints::attend(const at::Tensor& q, const PackedKeys& packed, double scale) const
{
    if (!side_by_side_)
        return attend_float(q, packed, scale);
    const at::Device device = q.device();
    const c10::DeviceGuard guard(device);
    const std::int64_t head_dim = q.size(3);
    const std::int64_t dim = packed.keys.size(1);
    at::Tensor queries = q.transpose(1, 2).reshape({ q.size(0) * own_, q.size(1), head_dim }); // a view
    if (dim != head_dim)
        queries = at::constant_pad_nd(queries, { 0, dim - head_dim });
    const at::Tensor output = std::get<0>(at::_flash_attention_forward(queries, by_head(packed.keys),
        by_head(packed.values), query_ends_.to(device), key_ends_.to(device), own_, longest_, 0.0, true, false, scale));
    return output.view({ q.size(0), own_, q.size(1), dim }).slice(3, 0, head_dim).transpose(1, 2);
}

/// The efficient kernel knows no kv heads: each is a sequence, and its query heads are the heads.
at::Tensor PackedPoints::attend_float(const at::Tensor& q, const PackedKeys& packed, double scale) const
{
    const at::Device device = q.device();
    const c10::DeviceGuard guard(device);
    const std::int64_t points = q.size(0);
    const std::int64_t group = q.size(1) / kept_.kv_heads;
    const std::int64_t head_dim = q.size(3);
    const std::int64_t dim = packed.keys.size(1);
    at::Tensor queries = q.reshape({ points, kept_.kv_heads, group, own_, head_dim }).transpose(2, 3);
    queries = queries.reshape({ points * kept_.kv_heads * own_, group, head_dim });
    if (dim != head_dim)
        queries = at::constant_pad_nd(queries, { 0, dim - head_dim });
    constexpr std::int64_t from_bottom_right = 2;
    const auto all_heads = [&](const at::Tensor& rows) {
        return rows.view({ 1, all_, 1, dim }).expand({ 1, all_, group, dim });
    };
    at::Tensor output // (points * kv_heads * own, group, dim)
        = std::get<0>(
            at::_efficient_attention_forward(queries.unsqueeze(0), all_heads(packed.keys), all_heads(packed.values), {},
                query_ends_.to(device), key_ends_.to(device), own_, longest_, 0.0, from_bottom_right, false, scale));
    output = output.view({ points, kept_.kv_heads, own_, group, dim }).slice(4, 0, head_dim);
    return output.transpose(2, 3).reshape({ points, q.size(1), own_, head_dim });
}

at::Tensor PackedPoints::attend_by_rule(
    const at::Tensor& q, const PackedKeys& packed, const ScoreRule& rule, std::int64_t layer) const
{
    const at::Device device = q.device();
    PackedRows rows;
    rows.ends = ends_.to(device);
    rows.starts = starts_.to(device).slice(1, layer * kept_.kv_heads, (layer + 1) * kept_.kv_heads);
    rows.first_query = first_query_.to(device);
    rows.length = kept_.context + own_;
    if (!repacked_)
        rows.positions = kept_.positions.to(device);
    return attend_rule_cuda(q, by_head(packed.keys), by_head(packed.values), rule, rows).output;
}

} // namespace keepset
