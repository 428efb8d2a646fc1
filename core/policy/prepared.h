#pragma once

#include "core/policy/policy.h"
#include "core/policy/select.h"

namespace keepset::policy {

/// A request with what its policy makes of it.
struct Prepared {
    const Policy& policy;
    Settings settings;
    std::int64_t budget = 0;
    kernels::SelectPlan plan; ///< without labels; nothing where the policy has no plan

    Prepared(const SelectRequest& request, std::int64_t context)
        : policy(find(request.policy.name))
        , settings(policy, request.policy)
        , budget(budget_for(policy, request, context))
    {
        if (policy.plan)
            plan = policy.plan(budget, settings);
    }
};

/// Row `index` of rows of scores: which rows of the model it stands for, by layer and kv head, and nothing else.
inline Row row_at(const Reduction& reduction, std::int64_t kv_heads, std::int64_t index)
{
    Row row;
    const bool by_head = reduction.granularity == Granularity::head;
    row.layer = reduction.granularity == Granularity::model ? -1 : by_head ? index / kv_heads : index;
    row.kv_head = by_head ? index % kv_heads : -1;
    return row;
}

} // namespace keepset::policy
