#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t window = settings.count("window");
        return from_last_rows(layer, window, "snapkv", [&](const at::Tensor& p, std::int64_t) {
            const at::Tensor before = p.slice(2, 0, p.size(2) - window).mean(1); // (heads, context - window)
            const at::Tensor pooled = average_pooled(before, settings.count("kernel"));
            const std::int64_t group = layer.q.size(0) / layer.k.size(0);
            return at::constant_pad_nd(group_mean(pooled, p.size(0) / group), { 0, window });
        });
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
        .check = [](const Settings& settings) { check_kernel("snapkv", settings.count("kernel")); },
    };
}

} // namespace keepset::policy
