#include "core/sweep/evidence.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/min.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

namespace keepset {

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

at::Tensor largest_magnitude_of(const at::Tensor& hidden) { return hidden.abs().max(); }

double largest_magnitude(const at::Tensor& hidden) { return largest_magnitude_of(hidden).item<double>(); }

namespace {

    /// As measure_importance, of importance (layers, heads, context) by the last `last` queries.
    at::Tensor measure_sums(const at::Tensor& importance, const Decoder& decoder, std::int64_t last)
    {
        const std::int64_t layers = importance.size(0);
        const std::int64_t context = importance.size(2);
        const at::Tensor exact = importance.to(at::kDouble); // (layers, heads, context)
        // How many queries see each key: (layers, 1, context).
        at::Tensor queries
            = at::arange(context, 0, -1, exact.options()).clamp_max(last).expand({ layers, 1, context }).clone();
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            if (const std::int64_t window = decoder.rule(layer).window; window > 0)
                queries[layer].clamp_max_(window);
        }
        const at::Tensor sums = exact.sum(2); // (layers, heads)
        const at::Tensor first = exact.select(2, 0);
        // max and min of ATen give NaN where a value is one, each of those it looks at: one for all.
        const at::Tensor spoiled = at::where(sums.isnan().any(), not_a_number, 0.0);
        return at::stack({ (sums - last).abs().max() / last, exact.select(2, context - 1).max(), exact.min(),
                   exact.div(queries).max(), first.mean() / last })
            + spoiled;
    }

} // namespace

at::Tensor measure_importance(const DensePass& pass, const Decoder& decoder, const Importance& mode)
{
    const at::Tensor all = measure_sums(pass.importance, decoder, pass.importance.size(2));
    if (!pass.last_importance.defined())
        return all;
    const at::Tensor last = measure_sums(pass.last_importance, decoder, mode.last_queries());
    const at::Tensor worse = at::maximum(all, last); // NaN where one is
    return at::stack({ worse[0], worse[1], at::minimum(all[2], last[2]), worse[3], all[4] + 0 * last[4] });
}

ImportanceFacts importance_facts(const at::Tensor& measured)
{
    const at::Tensor host = measured.cpu().contiguous();
    const auto* const values = host.const_data_ptr<double>();
    return { values[0], values[1], values[2], values[3], values[4] };
}

} // namespace keepset
