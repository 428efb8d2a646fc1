#include "core/policy/policy.h"

namespace keepset::policy {

/// Heavy-Hitter Oracle: recent tokens and those that received most attention (Zhang et al. 2023).
Policy h2o()
{
    return {
        .info = { .name = "h2o",
            .title = "H2O",
            .description = "Keeps the most recent tokens and, of the rest, those that received most attention.",
            .parameters = { { .name = "local",
                .description = "Share of the budget for the most recent tokens",
                .default_value = "0.2",
                .choices = {} } },
            .labels = { Label::local, Label::important } },
        .plan =
            [](std::int64_t budget, const Settings& settings) {
                const std::int64_t local = local_share(settings.number("local"), budget);
                return kernels::SelectPlan { .local = local, .highest = budget - local };
            },
    };
}

} // namespace keepset::policy
