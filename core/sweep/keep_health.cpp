#include "core/sweep/keep_health.h"

#include "core/device/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <optional>

namespace keepset {

namespace {

    /// Points are looked at together, up to as many entries as take some hundred megabytes.
    constexpr std::int64_t entries_at_once = std::int64_t { 1 } << 24U;

    /// Of the points whose entries lie one after the other, `counts` (points) of them each: (points, 2).
    at::Tensor measure(const at::Tensor& positions, const std::vector<std::int64_t>& counts, std::int64_t context)
    {
        const auto points = static_cast<std::int64_t>(counts.size());
        const at::Device device = positions.device();
        const at::Tensor point = at::repeat_interleave(to_device(counts, device), std::optional(positions.numel()));
        const at::Tensor inside = positions.ge(0).logical_and_(positions.lt(context));
        // What lies outside goes to one place more, which nobody reads.
        const at::Tensor place = point * (context + 1) + at::where(inside, positions, context);
        at::Tensor held = at::zeros({ points * (context + 1) }, at::TensorOptions(at::kByte).device(device));
        held.index_fill_(0, place, 1);
        at::Tensor newest = at::zeros({ points }, at::TensorOptions(at::kLong).device(device));
        newest.index_add_(0, point, positions.eq(context - 1).to(at::kLong));
        const at::Tensor kept = held.view({ points, context + 1 }).slice(1, 0, context).sum({ 1 }, false, at::kLong);
        return at::stack({ context - kept, newest }, 1);
    }

} // namespace

at::Tensor measure_keep_health(const KeptPositions& kept, const std::vector<std::int64_t>& evicting)
{
    if (!evicting.empty())
        return measure_keep_health(kept.of_layers(evicting), {});
    std::vector<at::Tensor> found;
    for (std::size_t begin = 0, end = 0; begin < kept.counts.size(); begin = end) {
        std::vector<std::int64_t> counts; // entries of each point
        std::int64_t all = 0;
        for (; end < kept.counts.size() && (counts.empty() || all < entries_at_once); ++end) {
            counts.push_back(kept.entries(end));
            all += counts.back();
        }
        const std::int64_t from = kept.begins[begin];
        found.push_back(measure(kept.positions.slice(0, from, from + all), counts, kept.context));
    }
    return at::cat(found);
}

std::vector<KeepHealth> keep_health(const at::Tensor& measured)
{
    const at::Tensor host = measured.cpu().contiguous();
    const auto* const values = host.const_data_ptr<std::int64_t>();
    std::vector<KeepHealth> found(static_cast<std::size_t>(host.size(0)));
    for (std::size_t point = 0; point < found.size(); ++point)
        found[point] = { values[2 * point], values[2 * point + 1] };
    return found;
}

} // namespace keepset
