#include "core/policy/policy.h"

#include <algorithm>

namespace keepset::policy {

/// Attention sinks and a recent window (Xiao et al. 2023).
Policy streaming_llm()
{
    return {
        .info = { .name = "streaming-llm",
            .title = "StreamingLLM",
            .description = "Keeps the first tokens (attention sinks) and the most recent ones.",
            .parameters = { { .name = "sinks",
                .description = "First tokens that are always kept",
                .default_value = "4",
                .choices = {},
                .minimum = 0,
                .maximum = 1e6,
                .whole = true } },
            .labels = { Label::sink, Label::local },
            .uses_importance = false },
        .plan =
            [](std::int64_t budget, const Settings& settings) {
                const std::int64_t sinks = std::min(static_cast<std::int64_t>(settings.whole("sinks")), budget);
                return kernels::SelectPlan { .sinks = sinks, .local = budget - sinks };
            },
    };
}

} // namespace keepset::policy
