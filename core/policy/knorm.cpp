#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>

namespace keepset::policy {

namespace {
    at::Tensor score(const LayerPass& layer, const Settings&) { return -norms(layer.k); }
}

Policy knorm()
{
    return {
        .info = { .name = "knorm",
            .title = "K-norm",
            .description = "Keeps the tokens whose keys are shortest.",
            .parameters = {},
            .labels = { Label::important },
            .ranks_by = ScoreOf::own,
            .score = "negative length of the key",
            .source = "Devoto et al., A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression, EMNLP "
                      "2024 (arXiv 2406.11430)" },
        .plan = [](const Share& share, const Settings&) { return ends_and_highest(0, 0, share.budget); },
        .score = score,
        .parts = { .keys = true },
        .may_be_flat = true,
    };
}

} // namespace keepset::policy
