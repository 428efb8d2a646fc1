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
                .kind = ParameterKind::whole,
                .maximum = 1e6 } },
            .labels = { Label::sink, Label::local },
            .ranks_by = ScoreOf::nothing,
            .source = "Xiao et al., Efficient Streaming Language Models with Attention Sinks, ICLR 2024 (arXiv "
                      "2309.17453)" },
        .plan =
            [](const Share& share, const Settings& settings) {
                const std::int64_t sinks = std::min(settings.count("sinks"), share.budget);
                return kernels::SelectPlan { .sinks = sinks, .local = share.budget - sinks };
            },
    };
}

} // namespace keepset::policy
