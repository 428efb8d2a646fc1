#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

namespace keepset::policy {

namespace {

    constexpr double epsilon = 1e-6; // of 1 - p

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t group = layer.q.size(0) / layer.k.size(0);
        return from_last_rows(layer, settings.count("window"), "dropkv", [&](const at::Tensor& p, std::int64_t first) {
            const std::int64_t kv_heads = p.size(0) / group;
            // In double: where p is near 1 its weight is huge, and what it weighs the small difference of large parts.
            const at::Tensor rows = p.to(at::kDouble).unflatten(0, { kv_heads, group }); // (…, window, context)
            const at::Tensor values = layer.v.slice(0, first, first + kv_heads).to(at::kDouble).unsqueeze(1);
            const at::Tensor output = at::matmul(rows, values); // (kv_heads, group, window, head_dim)
            const at::Tensor weight = (rows / (1 - rows + epsilon)).square_();
            // Σ w ‖v - o‖², multiplied out, so that no (queries, keys, head_dim) is made.
            at::Tensor change = weight.sum(2) * values.square().sum(-1); // (kv_heads, group, context)
            change -= 2 * (values * at::matmul(weight.transpose(2, 3), output)).sum(-1);
            change += at::matmul(weight.transpose(2, 3), output.square().sum(-1, true)).squeeze(-1);
            return average_pooled(change.mean(1).to(at::kFloat), settings.count("kernel"));
        });
    }

} // namespace

Policy dropkv()
{
    return {
        .info = { .name = "dropkv",
            .title = "DropKV",
            .description = "Keeps the last tokens and, of the rest, those without which the attention's output for "
                           "these would change most.",
            .parameters = { { .name = "window",
                                .description = "Last queries whose output is looked at, and tokens that are kept",
                                .default_value = "32",
                                .kind = ParameterKind::whole,
                                .minimum = 1,
                                .maximum = 1e6,
                                .of_score = true },
                { .name = "kernel",
                    .description = "Neighbouring positions that a score is averaged over, an odd number",
                    .default_value = "7",
                    .kind = ParameterKind::whole,
                    .minimum = 1,
                    .maximum = 1001,
                    .of_score = true } },
            .labels = { Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "squared change of the last queries' outputs when this key alone is dropped, mean over the query "
                     "heads of the kv head, averaged over neighbouring positions",
            .source = "proposed to kvpress (github.com/NVIDIA/kvpress/pull/285)" },
        .plan = [](const Share& share,
                    const Settings& settings) { return ends_and_highest(0, settings.count("window"), share.budget); },
        .score = score,
        .check = [](const Settings& settings) { check_kernel("dropkv", settings.count("kernel")); },
    };
}

} // namespace keepset::policy
