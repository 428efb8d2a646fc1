#include "core/attention/last_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>

#include <limits>

namespace keepset {

at::Tensor last_rows(const at::Tensor& q, const at::Tensor& k, const ScoreRule& rule, std::int64_t queries)
{
    const std::int64_t context = k.size(1);
    const std::int64_t group = q.size(0) / k.size(0);
    // The query heads of a kv head are just more rows of it.
    const at::Tensor last
        = q.slice(1, context - queries).to(at::kFloat).reshape({ k.size(0), group * queries, q.size(2) });
    at::Tensor scores = at::bmm(last, k.to(at::kFloat).transpose(1, 2)).view({ q.size(0), queries, context });
    scores.mul_(rule.scale);
    if (rule.softcap > 0)
        scores = scores.div_(rule.softcap).tanh_().mul_(rule.softcap);
    const at::Tensor keys = at::arange(context, at::TensorOptions(at::kLong).device(q.device()));
    if (rule.alibi_slopes.defined())
        scores.add_(rule.key_bias(keys).unsqueeze(1));
    const at::Tensor back = keys.slice(0, context - queries).unsqueeze(1) - keys; // (queries, keys): how far a key is
    at::Tensor hidden = back.lt(0);
    if (rule.window > 0)
        hidden.logical_or_(back.ge(rule.window));
    scores.masked_fill_(hidden, -std::numeric_limits<float>::infinity());
    return at::softmax(scores, -1);
}

} // namespace keepset
