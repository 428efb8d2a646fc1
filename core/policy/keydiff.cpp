#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>

namespace keepset::policy {

namespace {

    at::Tensor score(const LayerPass& layer, const Settings&)
    {
        const at::Tensor keys = layer.k.to(at::kFloat); // (kv_heads, context, head_dim)
        const at::Tensor lengths = norms(keys);
        const at::Tensor usual // mean of the keys at length 1: (kv_heads, 1, head_dim)
            = at::bmm(lengths.clamp_min(1e-12).reciprocal_().unsqueeze(1), keys) / keys.size(1);
        const at::Tensor along = at::bmm(keys, usual.transpose(1, 2)).squeeze(-1);
        return along.div_(lengths.clamp_min_(1e-8)).div_(norms(usual).clamp_min_(1e-8)).neg_();
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
        .parts = { .keys = true },
    };
}

} // namespace keepset::policy
