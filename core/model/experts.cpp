#include "core/model/decoder.h"

#include "core/model/layer_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace keepset {

/// Which rows go to which experts: all (row, expert) pairs, those of one expert side by side, in the order of the rows.
struct Decoder::Routing {
    at::Tensor order; ///< (pairs): pair row * experts a token + choice that stands here
    at::Tensor rows; ///< (pairs)
    at::Tensor experts; ///< (pairs), ascending
    at::Tensor weights; ///< (pairs, 1)
};

struct Decoder::Choice {
    at::Tensor experts; ///< (rows, experts a token)
    at::Tensor weights; ///< the same
};

/// Every row goes through its most probable experts; their outputs are added in the order of the experts, so that the
/// sum does not depend on the device's scheduling.
at::Tensor Decoder::mixture(const Layer& layer, const at::Tensor& x, bool every_expert) const
{
    const at::Tensor router = product(x, layer.router.weight).to(at::kFloat); // (rows, experts)
    auto [weights, chosen] = at::topk(at::softmax(router, -1), config_.experts_per_token, -1); // (rows, per token)
    if (config_.norm_topk)
        weights = weights / weights.sum(-1, true);
    if (config_.round_routing)
        weights = weights.to(dtype_);
    if (every_expert)
        return from_every(layer, x, { chosen, weights });
    const at::Tensor experts = chosen.flatten();
    Routing routing;
    routing.order = at::argsort(experts, /*stable=*/true, 0, false);
    routing.rows = routing.order.floor_divide(config_.experts_per_token);
    routing.experts = experts.index_select(0, routing.order);
    routing.weights = weights.flatten().index_select(0, routing.order).unsqueeze(-1);
    // The library groups products of bfloat16 rows that begin at multiples of 16 bytes.
    const bool groups = x.is_cuda() && dtype_ == at::kBFloat16 && layer.experts_gate_up.defined()
        && config_.hidden_size % 8 == 0 && config_.expert_size % 8 == 0;
    return groups ? grouped(layer, x, routing) : one_by_one(layer, x, routing);
}

at::Tensor Decoder::from_every(const Layer& layer, const at::Tensor& x, const Choice& choice) const
{
    at::Tensor all; // (experts, rows, hidden)
    if (x.is_cuda() && layer.experts_gate_up.defined()) {
        const at::Tensor rows = x.expand({ config_.experts, -1, -1 });
        const at::Tensor both
            = at::bmm(rows, layer.experts_gate_up.transpose(1, 2)); // (experts, rows, 2 * expert size)
        const at::Tensor wide = gated(both.flatten(0, 1), config_.activation).view({ config_.experts, x.size(0), -1 });
        all = at::bmm(wide, layer.experts_down.transpose(1, 2));
    } else {
        std::vector<at::Tensor> parts;
        for (const Mlp& expert : layer.experts)
            parts.push_back(run(expert, x));
        all = at::stack(parts);
    }
    const at::Tensor every = at::arange(config_.experts, choice.experts.options()).view({ -1, 1, 1 });
    const at::Tensor taken = choice.experts.unsqueeze(0).eq(every); // (experts, rows, experts a token)
    const at::Tensor weights = choice.weights.unsqueeze(0).mul(taken).sum(-1, true); // (experts, rows, 1)
    return at::where(taken.any(-1, true), (all * weights).to(dtype_), 0).sum(0);
}

at::Tensor Decoder::one_by_one(const Layer& layer, const at::Tensor& x, const Routing& routing) const
{
    const at::Tensor counts = at::bincount(routing.experts, {}, config_.experts).cpu();
    const auto* const count = counts.const_data_ptr<std::int64_t>();
    at::Tensor sum = at::zeros_like(x);
    std::int64_t begin = 0;
    for (std::int64_t expert = 0; expert < config_.experts; ++expert) {
        const std::int64_t end = begin + count[expert];
        if (end == begin)
            continue;
        const at::Tensor taken = routing.rows.slice(0, begin, end); // a row at most once
        const at::Tensor part = run(layer.experts[static_cast<std::size_t>(expert)], x.index_select(0, taken));
        sum.index_add_(0, taken, (part * routing.weights.slice(0, begin, end)).to(dtype_));
        begin = end;
    }
    return sum;
}

/// All experts in one product, without waiting for the device: how many rows each takes stays there.
at::Tensor Decoder::grouped(const Layer& layer, const at::Tensor& x, const Routing& routing) const
{
    const at::Tensor every = at::arange(config_.experts, routing.experts.options());
    const at::Tensor ends = at::searchsorted(routing.experts, every, /*out_int32=*/true, /*right=*/true); // (experts)
    const at::Tensor both = at::_grouped_mm(
        x.index_select(0, routing.rows), layer.experts_gate_up.transpose(1, 2), ends); // (pairs, 2 * expert size)
    const at::Tensor out = at::_grouped_mm(gated(both, config_.activation), layer.experts_down.transpose(1, 2), ends);
    const at::Tensor parts = (out * routing.weights).to(dtype_); // (pairs, hidden)
    // Where a row's pairs stand, by expert.
    at::Tensor places = at::empty_like(routing.order);
    places.index_copy_(0, routing.order, at::arange(places.size(0), places.options()));
    places = std::get<0>(places.view({ x.size(0), config_.experts_per_token }).sort(1));
    at::Tensor sum = parts.index_select(0, places.select(1, 0));
    for (std::int64_t choice = 1; choice < config_.experts_per_token; ++choice)
        sum.add_(parts.index_select(0, places.select(1, choice)));
    return sum;
}

} // namespace keepset
