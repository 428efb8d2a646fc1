#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        const std::int64_t context = layer.k.size(1);
        at::Tensor seen // by how many queries: context … 1
            = at::arange(context, 0, -1, at::TensorOptions(at::kFloat).device(layer.k.device()));
        if (layer.rule.window > 0)
            seen = seen.clamp_max(layer.rule.window);
        return group_mean(layer.importance.to(at::kFloat) / seen, layer.k.size(0));
    }

} // namespace

Policy h2o_observed()
{
    return {
        .info = { .name = "h2o-observed",
            .title = "H2O observed",
            .description = "Keeps the tokens that received most attention per query that could see them, with no "
                           "recent window.",
            .parameters = {},
            .labels = { Label::important },
            .ranks_by = ScoreOf::own,
            .score = "attention received, divided by the number of queries that see the key, mean over the query heads "
                     "of the kv head",
            .source = "kvpress ObservedAttentionPress, after Zhang et al. 2023" },
        .plan = [](const Share& share, const Settings&) { return ends_and_highest(0, 0, share.budget); },
        .score = score,
    };
}

} // namespace keepset::policy
