#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        const at::Tensor by_layer = mean_of_last_rows(layer, 1, "tova").unflatten(0, { layer.layers, -1 });
        return by_layer.mean(1, true).expand_as(by_layer).flatten(0, 1);
    }

} // namespace

Policy tova()
{
    return {
        .info = { .name = "tova",
            .title = "TOVA",
            .description
            = "Keeps the last token and, of the rest, those that it attends to most, the same in all heads "
              "of a layer.",
            .parameters = {},
            .labels = { Label::local, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "attention of the last query, mean over all query heads of the layer",
            .source = "Oren et al., Transformers are Multi-State RNNs, EMNLP 2024 (arXiv 2401.06104)" },
        .plan = [](const Share& share, const Settings&) { return ends_and_highest(0, 1, share.budget); },
        .score = score,
        .parts = { .keys = true, .queries = [](const Settings&) -> std::int64_t { return 1; } },
    };
}

} // namespace keepset::policy
