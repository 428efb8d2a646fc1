#pragma once

#include "core/model/score_rule.h"
#include "core/task.h"

#include <ATen/core/Tensor.h>

#include <stop_token>

namespace keepset {

/// Attention output and, for every query, the natural log-sum-exp of its scores.
struct Attended {
    at::Tensor output; ///< (batch, heads, queries, head_dim), dtype of q
    at::Tensor row_lse; ///< (batch, heads, queries) float32
};

/// Causal softmax attention: q (batch, heads, tokens, head_dim); k, v (batch, kv_heads, tokens, head_dim); query i sees
/// of the keys 0 … i those that the rule's window leaves. float32, bfloat16, float16 on CPU and CUDA. Plain rules by
/// ATen's fused kernels, others by ours in 16 bits on a GPU, else as attend_at does, at a cost of tokens · window. Long
/// inputs go in blocks, so that a stop is answered; throws Cancelled. `share`, where it is given, is told after each
/// block.
Attended attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const std::stop_token& stop = {}, const ShareFn& share = {});

/// The same where every query sees every key, as many of them as there are.
Attended attend_every(
    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, const std::stop_token& stop = {});

/// Where queries and keys stand in the text, int64 on their device.
struct Places {
    at::Tensor queries; ///< (queries), or (kv_heads, queries)
    at::Tensor keys; ///< (keys), or (kv_heads, keys) where each kv head has keys of its own
};

/// Attention by a rule where a query sees the keys at its own and earlier places within the window; every query must
/// see one. q (batch, heads, queries, head_dim); k, v (batch, kv_heads, keys, head_dim). Scores and sums in float32 for
/// every dtype. Memory: a block of scores, and a kv head of k and v in float32. Throws Cancelled between blocks.
Attended attend_at(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const Places& places, const std::stop_token& stop = {});

/// Of the cells of P that the last `queries` queries of a context of `keys` see, those of the first `done` of them: how
/// far work is that takes the queries in order.
double share_of_cells(std::int64_t done, std::int64_t queries, std::int64_t keys, const ScoreRule& rule);

/// Attention of the same queries over two disjoint sets of keys, from the attention over each.
Attended merge(const Attended& first, const Attended& second);

} // namespace keepset
