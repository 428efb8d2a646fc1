#include "core/policy/policy.h"

namespace keepset::policy {

Policy recent()
{
    return {
        .info = { .name = "recent",
            .title = "Recent",
            .description = "Keeps the most recent tokens and nothing else.",
            .parameters = {},
            .labels = { Label::local },
            .uses_importance = false },
        .plan = [](std::int64_t budget, const Settings&) { return kernels::SelectPlan { .local = budget }; },
    };
}

} // namespace keepset::policy
