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
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <array>
#include <optional>
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
    , starts_(kept.starts(points_))
    , places_(repacked ? kept.places(points_) : kept.positions)
{
    const at::Device device = starts_.device();
    const auto is_alike = [&](std::size_t point) { return kept.alike(point); };
    const std::int64_t layouts = std::ranges::all_of(points_, is_alike) ? 1 : kept.layers;
    std::vector<std::int32_t> ends; // (layouts, 2, points * kv_heads + 1): Layout::ends and key_ends, zeros behind them
    for (std::int64_t layer = 0; layer < layouts; ++layer)
        layouts_.push_back(lay_out(layer, dtype != at::kFloat, ends));
    const at::Tensor there = to_device(ends, device).view({ layouts, 2, -1 });
    std::vector<std::int32_t> query_ends;
    for (std::int64_t sequence = 0; sequence < there.size(2); ++sequence)
        query_ends.push_back(static_cast<std::int32_t>(sequence * own));
    query_ends_ = to_device(query_ends, device);
    for (std::int64_t layer = 0; layer < layouts; ++layer) {
        Layout& layout = layouts_[static_cast<std::size_t>(layer)];
        layout.ends = there[layer][0];
        layout.key_ends = there[layer][1];
        if (layout.side_by_side)
            layout.key_ends = layout.key_ends.slice(0, 0, static_cast<std::int64_t>(points_.size()) + 1);
    }
    std::vector<std::int32_t> first_query;
    first_query.reserve(points_.size());
    for (const std::size_t point : points_)
        first_query.push_back(static_cast<std::int32_t>(repacked ? kept.most(point) : kept.context));
    first_query_ = to_device(first_query, device);
    if (repacked) {
        const at::Tensor moved = places_ - kept.positions;
        moved_ = at::cat({ moved, at::zeros({ 1 }, moved.options()) });
    }
}

PackedPoints::Layout PackedPoints::lay_out(std::int64_t layer, bool in_16_bits, std::vector<std::int32_t>& ends) const
{
    Layout layout;
    layout.side_by_side
        = in_16_bits && std::ranges::all_of(points_, [&](std::size_t point) { return kept_.alike(point, layer); });
    const std::size_t room = points_.size() * static_cast<std::size_t>(kept_.kv_heads) + 1;
    std::vector<std::int32_t> key_ends { 0 };
    ends.push_back(0);
    for (const std::size_t point : points_) {
        for (std::int64_t head = 0; head < kept_.kv_heads; ++head) {
            const std::int64_t length = kept_.count(point, layer * kept_.kv_heads + head) + own_;
            layout.longest = std::max(layout.longest, length);
            layout.all += length;
            ends.push_back(static_cast<std::int32_t>(layout.all));
            if (!layout.side_by_side)
                key_ends.push_back(static_cast<std::int32_t>(layout.all));
        }
        if (layout.side_by_side)
            key_ends.push_back(static_cast<std::int32_t>(layout.all / kept_.kv_heads));
    }
    key_ends.resize(room, 0);
    ends.insert(ends.end(), key_ends.begin(), key_ends.end());
    return layout;
}

/// (points, kv_heads) int64
at::Tensor PackedPoints::starts_of(std::int64_t layer) const
{
    return starts_.slice(1, layer * kept_.kv_heads, (layer + 1) * kept_.kv_heads);
}

PackedKeys PackedPoints::pack(std::int64_t layer, const at::Tensor& context_keys, const at::Tensor& context_values,
    const Projected& parts, const Backend& backend) const
{
    const at::Device device = context_keys.device();
    const c10::DeviceGuard guard(device);
    // Where the layer lies on another GPU than the positions, they come along.
    const at::Tensor positions = kept_.positions.to(device);
    const at::Tensor starts = starts_.to(device);
    const Layout& layout = layout_of(layer);
    const at::Tensor ends = layout.ends.to(device);
    const std::int64_t packed_dim = padded_head_dim(context_keys.size(2));
    PackedKeys packed { at::empty({ layout.all, packed_dim }, context_keys.options()),
        at::empty({ layout.all, packed_dim }, context_keys.options()) };
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
    inputs.longest = layout.longest;
    inputs.keys = key_rows(sources[0]);
    inputs.values = key_rows(sources[1]);
    inputs.own_keys = key_rows(sources[2]);
    inputs.own_values = key_rows(sources[3]);
    inputs.positions = positions.const_data_ptr<std::int32_t>();
    inputs.starts = starts.const_data_ptr<std::int64_t>() + layer * kept_.kv_heads;
    inputs.starts_stride = kept_.layers * kept_.kv_heads;
    inputs.ends = ends.const_data_ptr<std::int32_t>();
    inputs.side_by_side = layout.side_by_side;
    inputs.packed_keys = packed.keys.mutable_data_ptr();
    inputs.packed_values = packed.values.mutable_data_ptr();
    backend.cuda->pack_kept(inputs, current_stream(device));
    return packed;
}

at::Tensor PackedPoints::shifts(std::int64_t layer) const
{
    const Layout& layout = layout_of(layer);
    const at::Tensor ends = layout.ends.to(at::kLong);
    const at::Tensor begins = ends.slice(0, 0, -1); // (points * kv_heads)
    const at::Tensor lengths = ends.slice(0, 1) - begins;
    // Of each packed key its (point, kv head), and how many of that lie before it: (all).
    at::Tensor row;
    at::Tensor nth = at::arange(layout.all, ends.options());
    if (layout.side_by_side) {
        const at::Tensor point
            = at::repeat_interleave(lengths.view({ -1, kept_.kv_heads }).sum(1), std::optional(layout.all));
        nth = nth - begins.slice(0, 0, {}, kept_.kv_heads).index_select(0, point);
        row = point * kept_.kv_heads + nth.remainder(kept_.kv_heads);
        nth = nth.floor_divide(kept_.kv_heads);
    } else {
        row = at::repeat_interleave(lengths, std::optional(layout.all));
        nth = nth - begins.index_select(0, row);
    }
    const at::Tensor is_kept = nth.lt(lengths.index_select(0, row) - own_);
    const at::Tensor from = starts_of(layer).flatten().index_select(0, row) + nth;
    return moved_.index_select(0, at::where(is_kept, from, moved_.size(0) - 1)).to(at::kLong);
}

/// (all, 1, packed_dim), or where kv heads lie side by side (all / kv_heads, kv_heads, packed_dim).
at::Tensor PackedPoints::by_sequence(const at::Tensor& packed, const Layout& layout) const
{
    return packed.view({ -1, layout.side_by_side ? kept_.kv_heads : 1, packed.size(1) });
}

/// Where each (point, kv head) is a sequence, the query heads of the kv head are its heads. The efficient kernel, for
/// float32, knows no kv heads.
at::Tensor PackedPoints::attend(const at::Tensor& q, const PackedKeys& packed, double scale, std::int64_t layer) const
{
    const at::Device device = q.device();
    const c10::DeviceGuard guard(device);
    const Layout& layout = layout_of(layer);
    const std::int64_t points = q.size(0);
    const std::int64_t head_dim = q.size(3);
    const std::int64_t dim = packed.keys.size(1);
    const std::int64_t apart = layout.side_by_side ? 1 : kept_.kv_heads; // sequences of a point
    const std::int64_t heads = q.size(1) / apart; // of a sequence
    at::Tensor queries = q.view({ points, apart, heads, own_, head_dim }).transpose(2, 3);
    queries = queries.reshape({ points * apart * own_, heads, head_dim }); // a view where `apart` is 1
    if (dim != head_dim)
        queries = at::constant_pad_nd(queries, { 0, dim - head_dim });
    const at::Tensor query_ends = query_ends_.slice(0, 0, points * apart + 1).to(device);
    const at::Tensor key_ends = layout.key_ends.to(device);
    at::Tensor output; // (points * apart * own, heads, dim)
    if (q.scalar_type() == at::kFloat) {
        constexpr std::int64_t from_bottom_right = 2;
        const auto all_heads = [&](const at::Tensor& rows) {
            return rows.view({ 1, layout.all, 1, dim }).expand({ 1, layout.all, heads, dim });
        };
        output = std::get<0>(
            at::_efficient_attention_forward(queries.unsqueeze(0), all_heads(packed.keys), all_heads(packed.values), {},
                query_ends, key_ends, own_, layout.longest, 0.0, from_bottom_right, false, scale));
    } else {
        output = std::get<0>(at::_flash_attention_forward(queries, by_sequence(packed.keys, layout),
            by_sequence(packed.values, layout), query_ends, key_ends, own_, layout.longest, 0.0, true, false, scale));
    }
    output = output.view({ points, apart, own_, heads, dim }).slice(4, 0, head_dim);
    return output.transpose(2, 3).reshape({ points, q.size(1), own_, head_dim });
}

at::Tensor PackedPoints::attend_by_rule(
    const at::Tensor& q, const PackedKeys& packed, const ScoreRule& rule, std::int64_t layer) const
{
    const at::Device device = q.device();
    const Layout& layout = layout_of(layer);
    PackedRows rows;
    rows.ends = layout.ends.to(device);
    rows.starts = starts_of(layer).to(device);
    rows.first_query = first_query_.to(device);
    rows.length = kept_.context + own_;
    rows.positions = places_.to(device);
    const auto keys_of = [&](const at::Tensor& all) { return layout.side_by_side ? by_sequence(all, layout) : all; };
    return attend_rule_cuda(q, keys_of(packed.keys), keys_of(packed.values), rule, rows).output;
}

} // namespace keepset
