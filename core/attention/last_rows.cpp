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
    // The query heads of a kv head are just more rows of it.
    const at::Tensor last
        = q.slice(1, q.size(1) - queries).to(at::kFloat).mul(rule.scale).reshape({ k.size(0), -1, q.size(2) });
    at::Tensor scores = at::bmm(last, k.to(at::kFloat).transpose(1, 2)).view({ q.size(0), queries, context });
    if (rule.softcap > 0)
        scores = scores.div_(rule.softcap).tanh_().mul_(rule.softcap);
    const at::Tensor keys = at::arange(context, at::TensorOptions(at::kLong).device(q.device()));
    if (rule.alibi_slopes.defined())
        scores.add_(rule.key_bias(keys).unsqueeze(1));
    // All of them see the keys before the first of them, but for a window.
    const std::int64_t first = rule.window > 0 ? 0 : context - queries;
    const at::Tensor back // (queries, keys): how far a key is
        = keys.slice(0, context - queries).unsqueeze(1) - keys.slice(0, first);
    at::Tensor hidden = back.lt(0);
    if (rule.window > 0)
        hidden.logical_or_(back.ge(rule.window));
    scores.slice(2, first).masked_fill_(hidden, -std::numeric_limits<float>::infinity());
    return at::softmax(scores, -1);
}

} // namespace keepset
