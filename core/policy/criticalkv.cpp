#include "core/error.h"
#include "core/policy/choosing.h"
#include "core/policy/given_scores.h"
#include "core/policy/score_parts.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <limits>

namespace keepset::policy {

namespace {

    constexpr double epsilon = 1e-4; // of the score, in stage 2

    /// Numbers of v W_o at a time: 256 MB.
    constexpr std::int64_t numbers_at_once = std::int64_t { 1 } << 26U;

    /// ‖v_j W_o,h‖₁, mean over the query heads of a kv head; v (kv_heads, context, head_dim) of one layer, weight
    /// (hidden, heads · head_dim): (kv_heads, context).
    at::Tensor lengths_of(const at::Tensor& v, const at::Tensor& weight, const std::stop_token& stop)
    {
        const std::int64_t group = weight.size(1) / (v.size(0) * v.size(2));
        const at::Tensor by_head // (kv_heads, group, head_dim, hidden)
            = weight.t().unflatten(0, { v.size(0), group, v.size(2) });
        const std::int64_t together
            = std::clamp<std::int64_t>(numbers_at_once / (group * v.size(1) * weight.size(0)), 1, v.size(0));
        std::vector<at::Tensor> lengths;
        for (std::int64_t begin = 0; begin < v.size(0); begin += together) {
            if (stop.stop_requested())
                throw Cancelled {};
            const at::Tensor added = at::matmul(
                v.slice(0, begin, begin + together).unsqueeze(1), by_head.slice(0, begin, begin + together));
            lengths.push_back(added.abs_().sum(-1, false, at::kFloat).mean(1)); // of (…, group, context, hidden)
        }
        return at::cat(lengths);
    }

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        const std::int64_t kv_heads = layer.v.size(0) / layer.layers;
        std::vector<at::Tensor> lengths;
        lengths.reserve(static_cast<std::size_t>(layer.layers));
        for (std::int64_t index = 0; index < layer.layers; ++index)
            lengths.push_back(lengths_of(layer.v.slice(0, index * kv_heads, (index + 1) * kv_heads),
                layer.decoder.output_weight(layer.layer + index), layer.stop));
        return at::cat(lengths);
    }

    /// The best by `of` for a part of the budget, then the best by both together.
    at::Tensor choose(const Choosing& from, const Settings& settings)
    {
        const Prepared& point = from.point;
        const PolicySpec of = wrapped(settings);
        const Policy& inner = find(of.name);
        const Settings inner_settings(inner, of);
        const at::Tensor first = from.table.of(scores_of(of).empty() ? "" : scores_of(of).front());
        const Share stage { share_of(settings.number("first"), point.share.budget), point.share.context };
        kernels::SelectPlan ends = Prepared::protected_plan(inner, point.share, inner_settings);
        ends.sinks = std::max(ends.sinks, point.plan.sinks);
        ends.local = std::min(std::max(ends.local, point.plan.local), point.share.budget - ends.sinks);
        const std::int64_t left = point.share.budget - ends.sinks - ends.local;
        const std::int64_t best = Prepared::protected_plan(inner, stage, inner_settings).highest;
        const at::Tensor pinned // (score rows, context)
            = from.labels(first, { .sinks = ends.sinks, .local = ends.local, .highest = std::min(best, left) });
        const at::Tensor& lengths = from.table.of(score_name(point.request.policy));
        // A factor of the whole row changes no rank, and keeps the product within float32.
        const at::Tensor longest = lengths.abs().amax(1, true).clamp_min(std::numeric_limits<float>::min());
        const at::Tensor both = (first + epsilon) * (lengths / longest);
        const at::Tensor taken = pinned.ne(0);
        const at::Tensor all = from.labels(
            both.masked_fill(taken, std::numeric_limits<float>::max()), { .highest = point.share.budget });
        return at::where(taken, pinned, all);
    }

    void check(const Settings& settings)
    {
        const PolicySpec of = wrapped(settings);
        const Policy& inner = find(of.name);
        // The scores of a file are like others; keep sets, for which it chooses by itself, are refused where it is
        // read.
        const bool file = reads_file(inner);
        if (inner.info.ranks_by == ScoreOf::nothing || (inner.choose != nullptr && !file) || needs_attention(of)
            || sharing_of(of) != (file ? inner.info.shares : Sharing::none))
            throw Error(ErrorKind::usage, "criticalkv: '" + canonical(of) + "' has no score to go by.",
                "Name a policy that ranks by a score, such as snapkv.");
    }

    std::string explain(const Case& of)
    {
        if (of.label == Label::important)
            return "Kept: " + of.title
                + " takes one part of its budget by the other policy's score and the rest by "
                  "that score times the length of what the value adds to the output: this is one of them.";
        if (of.label == Label::evicted)
            return "Evicted: neither the other policy's score nor that score times the length of what the value adds "
                   "to "
                   "the output is among the highest that "
                + of.title + " takes.";
        return {};
    }

} // namespace

Policy criticalkv()
{
    return {
        .info = { .name = "criticalkv",
            .title = "CriticalKV",
            .description = "Keeps the best tokens of another policy for a part of the budget, then those of highest "
                           "score times the length of what their value adds to the output.",
            .parameters = { { .name = "of",
                                .description = "Policy whose score is used",
                                .default_value = "snapkv",
                                .kind = ParameterKind::policy },
                { .name = "first",
                    .description = "Share of the budget that goes by the other policy's score alone",
                    .default_value = "0.5" } },
            .labels = { Label::sink, Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "the other policy's, and ‖v W_o‖₁, mean over the query heads of the kv head",
            .source
            = "Feng et al., Identify Critical KV Cache in LLM Inference from an Output Perturbation Perspective "
              "(arXiv 2502.03805)" },
        .score = score,
        .parts = { .values = true },
        .choose = choose,
        .explain = explain,
        .check = check,
    };
}

} // namespace keepset::policy
