#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cosine_similarity.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        const at::Tensor keys = layer.k.to(at::kFloat); // (kv_heads, context, head_dim)
        const at::Tensor usual = (keys / norms(keys).unsqueeze(-1).clamp_min(1e-12)).mean(1, true);
        return -at::cosine_similarity(keys, usual, -1);
    }

} // namespace

Policy keydiff()
{
    return {
        .info = { .name = "keydiff",
            .title = "KeyDiff",
            .description = "Keeps the tokens whose keys differ most from the mean direction of all keys.",
            .parameters = {},
            .labels = { Label::important },
            .ranks_by = ScoreOf::own,
            .score = "negative cosine between the key and the mean of the normalised keys",
            .source = "Park et al., KeyDiff: Key Similarity-Based KV Cache Eviction (arXiv 2504.15364), in one go as "
                      "kvpress KeyDiffPress has it; the paper's form goes block by block" },
        .plan = [](const Share& share, const Settings&) { return ends_and_highest(0, 0, share.budget); },
        .score = score,
    };
}

} // namespace keepset::policy
