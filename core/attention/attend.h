#pragma once

#include <ATen/core/Tensor.h>

#include <stop_token>

namespace keepset {

/// Attention output and, for every query, the natural log-sum-exp of its scaled scores.
struct Attended {
    at::Tensor output; ///< (batch, heads, queries, head_dim), dtype of q
    at::Tensor row_lse; ///< (batch, heads, queries) float32
};

/// Softmax attention by ATen's fused kernels. q (batch, heads, queries, head_dim); k, v (batch, kv_heads, keys,
/// head_dim). Causal: as many queries as keys, query i sees keys 0 … i; else every query sees every key. float32,
/// bfloat16, float16 on CPU and CUDA. Long causal CPU inputs go in blocks, so that a stop is answered; throws
/// Cancelled.
Attended attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale, bool causal,
    const std::stop_token& stop = {});

/// Attention of the same queries over two disjoint sets of keys, from the attention over each.
Attended merge(const Attended& first, const Attended& second);

} // namespace keepset
