#pragma once

#include "core/policy/policy.h"

#include <algorithm>

/// A component that goes by a cost of its own: by chance, or by what the scores do not say. Components by place and by
/// score are in a policy's plan.
namespace keepset::policy {

/// The `count` positions of lowest cost(position) of those still evicted. Cost is compared with <; no NaN.
template <typename CostOf>
void take_lowest(std::span<Label> labels, std::int64_t count, Label label, const CostOf& cost_of)
{
    struct Candidate {
        decltype(cost_of(std::size_t { 0 })) cost;
        std::size_t position;
    };
    std::vector<Candidate> candidates; // (positions still evicted)
    candidates.reserve(labels.size());
    for (std::size_t position = 0; position < labels.size(); ++position) {
        if (labels[position] == Label::evicted)
            candidates.push_back({ cost_of(position), position });
    }
    const auto taken = std::min(candidates.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
    if (taken < candidates.size()) {
        const auto better = [](const Candidate& a, const Candidate& b) {
            return a.cost < b.cost || (!(b.cost < a.cost) && a.position < b.position);
        };
        std::nth_element(
            candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(taken), candidates.end(), better);
    }
    for (std::size_t i = 0; i < taken; ++i)
        labels[candidates[i].position] = label;
}

} // namespace keepset::policy
