#include "core/attention/attend.h"
#include "core/attention/bridge_scores.h"
#include "core/attention_map.h"
#include "core/bench.h"
#include "core/device/device.h"
#include "core/model_info.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace keepset {

namespace {

    constexpr std::int64_t head_dim = 128;
    constexpr std::int64_t chunk = 1024; // queries of the plain ways
    constexpr std::int64_t cells = 1024; // of a side of the map

    /// The pass of one layer: query heads that share a kv head, unit normal.
    std::shared_ptr<const AttentionSource> made_source(
        std::int64_t heads, std::int64_t context, const ChosenDevice& chosen)
    {
        const auto options = at::device(chosen.device).dtype(chosen.device.is_cuda() ? at::kBFloat16 : at::kFloat);
        auto source = std::make_shared<AttentionSource>();
        source->backend = chosen.backend;
        AttentionSource::Layer layer;
        layer.q = at::randn({ heads, context, head_dim }, options);
        layer.k = at::randn({ 1, context, head_dim }, options);
        layer.rule.scale = 1 / std::sqrt(static_cast<double>(head_dim));
        layer.row_lse = attend(layer.q.unsqueeze(0), layer.k.unsqueeze(0), layer.k.unsqueeze(0), layer.rule).row_lse[0];
        source->layers.push_back(layer);
        return source;
    }

    /// P (heads, queries, keys) of some queries and the keys up to `end`, float32, by plain operations; `queries` and
    /// `keys` positions.
    at::Tensor plain_p(const AttentionSource::Layer& layer, const at::Tensor& queries, const at::Tensor& keys)
    {
        const at::Tensor q = layer.q.index_select(1, queries);
        const at::Tensor k = layer.k.index_select(1, keys);
        const at::Tensor lse = layer.row_lse.index_select(1, queries).unsqueeze(-1);
        const at::Tensor scores = at::matmul(q, k.transpose(1, 2)).to(at::kFloat).mul_(layer.rule.scale);
        return scores.masked_fill_(queries.unsqueeze(1) < keys, -std::numeric_limits<double>::infinity())
            .sub_(lse)
            .exp_();
    }

    at::Tensor positions(const AttentionSource::Layer& layer, std::int64_t begin, std::int64_t end, std::int64_t step)
    {
        return at::arange(begin, end, step, at::device(layer.q.device()).dtype(at::kLong));
    }

    /// The largest of each cell, in chunks of queries; the context a multiple of the cells.
    void plain_map(const AttentionSource::Layer& layer)
    {
        const std::int64_t context = layer.q.size(1);
        const std::int64_t side = context / cells;
        at::Tensor map = at::zeros({ cells, cells }, at::device(layer.q.device()).dtype(at::kFloat));
        for (std::int64_t begin = 0; begin < context; begin += chunk) {
            const std::int64_t end = std::min(begin + chunk, context);
            const at::Tensor p = plain_p(layer, positions(layer, begin, end, 1), positions(layer, 0, end, 1));
            map.slice(0, begin / side, end / side)
                .slice(1, 0, end / side)
                .copy_(p.view({ (end - begin) / side, side, end / side, side }).amax({ 1, 3 }));
        }
        map.cpu();
    }

    /// from · to of every position, important every tenth.
    void plain_flow(const AttentionSource::Layer& layer)
    {
        const std::int64_t context = layer.q.size(1);
        const at::Tensor important = positions(layer, 0, context, 10);
        const at::TensorOptions sums = at::device(layer.q.device()).dtype(at::kDouble);
        at::Tensor from = at::zeros({ context }, sums);
        at::Tensor to = at::zeros({ context }, sums);
        const auto without_itself = [](const at::Tensor& p, const at::Tensor& queries, const at::Tensor& keys) {
            return p.masked_fill(queries.unsqueeze(1) == keys, 0.0);
        };
        const at::Tensor all = positions(layer, 0, context, 1);
        for (std::int64_t begin = 0; begin < important.size(0); begin += chunk) {
            const at::Tensor some = important.slice(0, begin, begin + chunk);
            from.add_(
                without_itself(plain_p(layer, some, all), some, all).sum(at::IntArrayRef { 0, 1 }, false, at::kDouble));
        }
        for (std::int64_t begin = 0; begin < context; begin += chunk) {
            const at::Tensor some = positions(layer, begin, std::min(begin + chunk, context), 1);
            to.slice(0, begin, begin + some.size(0))
                .add_(without_itself(plain_p(layer, some, important), some, important)
                          .sum(at::IntArrayRef { 0, 2 }, false, at::kDouble));
        }
        from.mul(to).cpu();
    }

    /// Curvature of every position, the graph as a matrix of floats.
    void plain_curvature(const AttentionSource::Layer& layer)
    {
        const std::int64_t context = layer.q.size(1);
        at::Tensor edges = at::zeros({ context, context }, at::device(layer.q.device()).dtype(at::kFloat));
        for (std::int64_t begin = 0; begin < context; begin += chunk) {
            const std::int64_t end = std::min(begin + chunk, context);
            const at::Tensor queries = positions(layer, begin, end, 1);
            const at::Tensor keys = positions(layer, 0, end, 1);
            const at::Tensor mean = plain_p(layer, queries, keys).mean({ 0 });
            edges.slice(0, begin, end)
                .slice(1, 0, end)
                .copy_((mean * (queries + 1).unsqueeze(1) > 1).logical_and_(queries.unsqueeze(1) > keys));
        }
        edges.add_(edges.t().clone());
        const at::Tensor degrees = edges.sum(1);
        const at::Tensor triangles = at::matmul(edges, edges).mul_(edges).sum(1);
        ((4 - degrees) * degrees - at::matmul(edges, degrees) + 3 * triangles).div(degrees).cpu();
    }

    Contest contest_of(const ChosenDevice& chosen, std::string name, const std::function<void()>& ours,
        const std::function<void()>& plain)
    {
        Contest contest;
        contest.device = chosen.name;
        contest.name = std::move(name);
        contest.ours = ours;
        contest.peer = [=] {
            guarded(chosen.backend.threads, [&] {
                const c10::DeviceGuard guard(chosen.device);
                plain();
            });
        };
        return contest;
    }

} // namespace

std::vector<Contest> map_contests(const OpenOptions& options)
{
    const ChosenDevice chosen = choose_device(options);
    const std::int64_t context = chosen.device.is_cuda() ? 32768 : 4096;
    auto analysis = std::make_shared<Analysis>();
    guarded(chosen.backend.threads, [&] { analysis->attention = made_source(1, context, chosen); });
    analysis->layers = analysis->heads = analysis->kv_heads = 1;
    analysis->context = context;
    return { contest_of(
        chosen,
        "P of one head of 128, " + std::to_string(context)
            + " tokens to 1024 x 1024 cells, over plain operations of the tensor library",
        [=] {
            attention_map(*analysis, { 0, 0, 0, context, 0, context, cells, cells });
        },
        [=] { plain_map(analysis->attention->layers.front()); }) };
}

std::vector<Contest> bridge_contests(const OpenOptions& options)
{
    const ChosenDevice chosen = choose_device(options);
    const std::int64_t context = chosen.device.is_cuda() ? 16384 : 2048;
    std::shared_ptr<const AttentionSource> source;
    guarded(chosen.backend.threads, [&] { source = made_source(4, context, chosen); });
    std::vector<std::int32_t> important;
    for (std::int64_t token = 0; token < context; token += 10)
        important.push_back(static_cast<std::int32_t>(token));
    const std::string shape = " of one row, 4 query heads of 128, " + std::to_string(context) + " tokens";
    const std::string over = ", over plain operations of the tensor library";
    // A source keeps what it made, so that each call has one of its own.
    return { contest_of(
                 chosen, "flow" + shape + ", every tenth important" + over,
                 [=] {
                     bridge_source(source)->flow({ 0, 0 }, important, {});
                 },
                 [=] { plain_flow(source->layers.front()); }),
        contest_of(
            chosen, "curvature" + shape + over,
            [=] {
                bridge_source(source)->curvature({ 0, 0 }, {});
            },
            [=] { plain_curvature(source->layers.front()); }) };
}

} // namespace keepset
