#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t window = settings.count("window");
        const at::Tensor mean = mean_of_last_rows(layer, window, "snapkv");
        const at::Tensor before = mean.slice(1, 0, mean.size(1) - window); // (kv_heads, context - window)
        return at::constant_pad_nd(average_pooled(before, settings.count("kernel")), { 0, window });
    }

} // namespace

Policy snapkv()
{
    return {
        .info = { .name = "snapkv",
            .title = "SnapKV",
            .description = "Keeps the last tokens and, of the rest, those that these attend to most.",
            .parameters = { { .name = "window",
                                .description = "Last queries whose attention is looked at, and tokens that are kept",
                                .default_value = "64",
                                .kind = ParameterKind::whole,
                                .minimum = 1,
                                .maximum = 1e6,
                                .of_score = true },
                { .name = "kernel",
                    .description = "Neighbouring positions that a score is averaged over, an odd number",
                    .default_value = "5",
                    .kind = ParameterKind::whole,
                    .minimum = 1,
                    .maximum = 1001,
                    .of_score = true } },
            .labels = { Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "mean attention of the last queries, averaged over neighbouring positions and the query heads of "
                     "the kv head",
            .source = "Li et al., SnapKV: LLM Knows What You are Looking for Before Generation, NeurIPS 2024 (arXiv "
                      "2404.14469), as kvpress SnapKVPress has it" },
        .plan = [](const Share& share,
                    const Settings& settings) { return ends_and_highest(0, settings.count("window"), share.budget); },
        .score = score,
        .parts = { .keys = true, .queries = [](const Settings& settings) { return settings.count("window"); } },
        .check = [](const Settings& settings) { check_kernel("snapkv", settings.count("kernel")); },
    };
}

} // namespace keepset::policy
