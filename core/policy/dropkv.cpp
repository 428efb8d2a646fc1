#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>

namespace keepset::policy {

namespace {

    constexpr double epsilon = 1e-6; // of 1 - p

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t group = layer.q.size(0) / layer.k.size(0);
        return from_last_rows(layer, settings.count("window"), "dropkv", [&](const at::Tensor& p, std::int64_t first) {
            const std::int64_t kv_heads = p.size(0) / group;
            const at::Tensor weight = p.div((1 - p).add_(epsilon)).square_().view({ kv_heads, -1, p.size(2) });
            // In double: where p is near 1 its weight is huge, and what it weighs the small difference of large parts.
            const at::Tensor rows = p.view({ kv_heads, -1, p.size(2) }).to(at::kDouble); // (…, group · window, context)
            const at::Tensor values = layer.v.slice(0, first, first + kv_heads).to(at::kDouble);
            const at::Tensor output = at::bmm(rows, values); // (kv_heads, group · window, head_dim)
            // ‖v - o‖² for all pairs, multiplied out into one product: no (queries, keys, head_dim) is made.
            const auto squares = [](const at::Tensor& x) { return x.square().sum(-1, true); };
            const at::Tensor of_output = squares(output);
            const at::Tensor of_values = squares(values);
            const at::Tensor left = at::cat({ output * -2, of_output, at::ones_like(of_output) }, -1);
            const at::Tensor right = at::cat({ values, at::ones_like(of_values), of_values }, -1);
            const at::Tensor change = at::bmm(left, right.transpose(1, 2)).mul_(weight).sum(1); // (kv_heads, context)
            return average_pooled(change.div(group).to(at::kFloat), settings.count("kernel"));
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
        .parts = { .keys = true,
            .values = true,
            .queries = [](const Settings& settings) { return settings.count("window"); } },
        .check = [](const Settings& settings) { check_kernel("dropkv", settings.count("kernel")); },
    };
}

} // namespace keepset::policy
