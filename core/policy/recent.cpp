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
            .ranks_by = ScoreOf::nothing },
        .plan = [](const Share& share, const Settings&) { return kernels::SelectPlan { .local = share.budget }; },
    };
}

} // namespace keepset::policy
