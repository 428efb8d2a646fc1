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
                .default_value = "0.2" } },
            .labels = { Label::local, Label::important },
            .source = "Zhang et al., H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language "
                      "Models, NeurIPS 2023 (arXiv 2306.14048)" },
        .plan =
            [](const Share& share, const Settings& settings) {
                const std::int64_t local = local_share(settings.number("local"), share.budget);
                return kernels::SelectPlan { .local = local, .highest = share.budget - local };
            },
    };
}

} // namespace keepset::policy
