#include "core/policy/choosing.h"
#include "core/policy/uneven.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>

namespace keepset::policy {

namespace {

    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const Inner of(from, settings);
        const std::int64_t k = from.point.share.budget;
        const std::int64_t context = from.table.context;
        const std::int64_t rows = from.rows_of_layer();
        const std::int64_t safe = std::max<std::int64_t>(1, share_of(settings.number("safe"), k));
        const at::Tensor ends = from.labels(of.scores, of.ends(k)); // (score rows, context)
        const at::Tensor best = from.labels(of.scores, of.plan(safe));
        const at::Tensor first = best.ne(0).logical_or(ends.ne(0));
        // By score, then by position, then by head: the heads of a layer side by side.
        const at::Tensor together = of.scores.masked_fill(first, std::numeric_limits<float>::max())
                                        .view({ -1, rows, context })
                                        .transpose(1, 2)
                                        .reshape({ -1, context * rows }); // (layers, context · rows)
        const at::Tensor taken = together.argsort(true, 1, true).slice(1, 0, k * rows);
        at::Tensor kept = at::zeros_like(together, at::TensorOptions(at::kByte));
        kept.scatter_(1, taken, static_cast<std::int64_t>(Label::important));
        const at::Tensor by_row = kept.view({ -1, context, rows }).transpose(1, 2).reshape({ -1, context });
        return at::where(ends.ne(0).logical_and(by_row.ne(0)), ends, by_row);
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
            .uneven = true },
        .choose = choose,
        .explain = [](const Case& of) { return explain_uneven(of, "of all heads of its layer together"); },
        .check = [](const Settings& settings) { check_inner("ada", settings); },
    };
}

} // namespace keepset::policy
