#include "core/model/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>

namespace keepset {

/// Every row goes through its most probable experts; their outputs are added in the order of the experts, so that the
/// sum does not depend on the device's scheduling.
at::Tensor Decoder::mixture(const Layer& layer, const at::Tensor& x) const
{
    const at::Tensor router = at::linear(x, layer.router.weight).to(at::kFloat); // (rows, experts)
    auto [weights, chosen] = at::topk(at::softmax(router, -1), config_.experts_per_token, -1); // (rows, per token)
    if (config_.norm_topk)
        weights = weights / weights.sum(-1, true);
    if (config_.round_routing)
        weights = weights.to(dtype_);
    const at::Tensor experts = chosen.flatten();
    const at::Tensor order = at::argsort(experts, /*stable=*/true, 0, false);
    const at::Tensor rows = order.floor_divide(config_.experts_per_token);
    const at::Tensor sorted_weights = weights.flatten().index_select(0, order).unsqueeze(-1);
    const at::Tensor counts = at::bincount(experts, {}, config_.experts).cpu();
    const auto* const count = counts.const_data_ptr<std::int64_t>();
    at::Tensor sum = at::zeros_like(x);
    std::int64_t begin = 0;
    for (std::int64_t expert = 0; expert < config_.experts; ++expert) {
        const std::int64_t end = begin + count[expert];
        if (end == begin)
            continue;
        const at::Tensor taken = rows.slice(0, begin, end); // a row at most once
        const at::Tensor part = run(layer.experts[static_cast<std::size_t>(expert)], x.index_select(0, taken));
        sum.index_add_(0, taken, (part * sorted_weights.slice(0, begin, end)).to(dtype_));
        begin = end;
    }
    return sum;
}

} // namespace keepset
