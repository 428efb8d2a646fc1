#include "core/pass/kept_positions.h"

#include "core/device/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <utility>

namespace keepset {

KeptPositions::KeptPositions(std::int64_t all_layers, std::int64_t all_kv_heads, std::int64_t all_context,
    std::vector<std::int64_t> all_budgets, at::Device device)
    : layers(all_layers)
    , kv_heads(all_kv_heads)
    , context(all_context)
    , budgets(std::move(all_budgets))
{
    std::int64_t all = 0;
    for (const std::int64_t budget : budgets) {
        begins.push_back(all);
        all += budget * layers * kv_heads;
    }
    positions = at::zeros({ all }, at::TensorOptions(at::kInt).device(device));
}

at::Tensor KeptPositions::of(std::size_t point) const
{
    const std::int64_t count = budgets[point] * layers * kv_heads;
    return positions.slice(0, begins[point], begins[point] + count).view({ layers, kv_heads, budgets[point] });
}

at::Tensor KeptPositions::starts(const std::vector<std::size_t>& points) const
{
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> step;
    for (const std::size_t point : points) {
        first.push_back(begins[point]);
        step.push_back(budgets[point]);
    }
    const at::Device device = positions.device();
    const at::Tensor rows = at::arange(layers * kv_heads, at::TensorOptions(at::kLong).device(device));
    return to_device(first, device).unsqueeze(1) + to_device(step, device).unsqueeze(1) * rows;
}

} // namespace keepset
