#include "core/model/score_rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/repeat_interleave.h>

namespace keepset {

ScoreRule ScoreRule::within(std::int64_t length) const
{
    ScoreRule rule = *this;
    if (rule.window >= length)
        rule.window = 0;
    return rule;
}

at::Tensor ScoreRule::key_bias(const at::Tensor& positions) const
{
    if (!alibi_slopes.defined())
        return {};
    const std::int64_t heads = alibi_slopes.size(0);
    // Only this order of roundings gives transformers' numbers: in bfloat16 position 257 is 256.
    const at::ScalarType type = alibi_bfloat16 ? at::kBFloat16 : at::kFloat;
    at::Tensor places = positions.to(type); // (keys) or (kv_heads, keys)
    if (places.dim() == 2)
        places = places.repeat_interleave(heads / places.size(0), 0); // (heads, keys)
    const at::Tensor slopes = alibi_slopes.to(positions.device(), type).unsqueeze(1); // (heads, 1)
    return slopes.mul(places).to(at::kFloat).mul(alibi_scale);
}

} // namespace keepset
