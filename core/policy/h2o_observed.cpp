#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        at::Tensor seen // by how many queries: context … 1
            = at::arange(layer.importance.size(1), 0, -1, layer.importance.options());
        if (layer.rule.window > 0)
            seen = seen.clamp_max(layer.rule.window);
        return group_mean(layer.importance / seen, layer.layers * layer.decoder.config().kv_heads);
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
