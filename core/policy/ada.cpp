#include "core/policy/choosing.h"
#include "core/policy/uneven.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

namespace keepset::policy {

namespace {

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const Inner of(from, settings);
        const std::int64_t k = from.point.share.budget;
        const std::int64_t rows = from.rows_of_layer();
        const std::int64_t safe = std::max<std::int64_t>(1, share_of(settings.number("safe"), k));
        const kernels::SelectPlan protects = of.ends(k);
        const at::Tensor ends = from.labels(of.scores, protects); // (score rows, context)
        if (protects.sinks + protects.local >= k) // nothing is left to share
            return ends;
        const at::Tensor best = from.labels(of.scores, of.plan(safe));
        const at::Tensor first = best.ne(0).logical_or(ends.ne(0));
        return best_together(of.scores, ends, first, rows, k * rows);
    }

} // namespace

Policy ada()
{
    return {
        .info = { .name = "ada",
            .title = "AdaKV",
            .description = "Keeps what another policy ranks highest among all heads of a layer together, so that heads "
                           "keep as many as they need.",
            .parameters = { { .name = "of",
                                .description = "Policy whose score is used",
                                .default_value = "snapkv",
                                .kind = ParameterKind::policy },
                { .name = "safe",
                    .description = "Share of the budget that every head keeps of its own best",
                    .default_value = "0.2" } },
            .labels = { Label::sink, Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "the other policy's",
            .source = "Feng et al., Ada-KV: Optimizing KV Cache Eviction by Adaptive Budget Allocation, NeurIPS 2025 "
                      "(arXiv 2407.11550), as kvpress AdaKVPress has it",
            .shares = Sharing::layer },
        .choose = choose,
        .explain = [](const Case& of) { return explain_uneven(of, "of all heads of its layer together"); },
        .check = [](const Settings& settings) { check_inner("ada", settings); },
    };
}

} // namespace keepset::policy
