#pragma once

#include "core/policy/policy.h"
#include "core/policy/select.h"

namespace keepset::policy {

/// What pins make of a context.
struct Pinned {
    std::vector<std::int32_t> stay; ///< ascending
    std::vector<std::int32_t> go; ///< ascending
    std::vector<std::int32_t> free; ///< ascending, the rest; empty where there are no pins
    bool none() const { return stay.empty() && go.empty(); }

    Pinned(std::span<const Pin> pins, std::int64_t context);
};

/// A request with what its policy makes of it.
struct Prepared {
    const SelectRequest& request;
    const Policy& policy;
    Settings settings;
    Sharing shares; ///< sharing_of
    at::Tensor (*choose)(const Choosing& from, const Settings& settings); ///< Policy::choose, or how rows share
    std::string score; ///< what the plan ranks by: "" for importance
    std::int64_t budget = 0;
    Pinned pinned;
    Share share; ///< of the budget and the context, what pins leave to the policy
    kernels::SelectPlan plan; ///< without labels; what is protected aside, nothing where the policy has no plan

    /// `request` must outlive this. Throws Error{usage}.
    Prepared(const SelectRequest& request, std::int64_t context);
    /// The same of a policy that may not be in the table.
    Prepared(const Policy& policy, const SelectRequest& request, std::int64_t context);
    /// The plan of a policy for a share, both ends protected as `settings` say.
    static kernels::SelectPlan protected_plan(const Policy& policy, const Share& share, const Settings& settings);
};

/// Row `index` of rows of scores: which rows of the model it stands for, by layer and kv head, and nothing else.
/// `evicting`: the layers that the rows are of, empty: all.
inline Row row_at(
    const Reduction& reduction, std::int64_t kv_heads, std::int64_t index, const std::vector<std::int64_t>& evicting)
{
    Row row;
    const bool by_head = reduction.granularity == Granularity::head;
    row.layer = reduction.granularity == Granularity::model ? -1 : by_head ? index / kv_heads : index;
    if (row.layer >= 0 && !evicting.empty())
        row.layer = evicting[static_cast<std::size_t>(row.layer)];
    row.kv_head = by_head ? index % kv_heads : -1;
    return row;
}

/// "layer 3, kv head 1", "layer 3's mean", "the model's mean".
std::string row_name(const Row& row);

} // namespace keepset::policy
