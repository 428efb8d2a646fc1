#pragma once

#include "core/device/backend.h"
#include "core/model/score_rule.h"
#include "core/task.h"

#include <ATen/core/Tensor.h>

#include <stop_token>

namespace keepset {

/// How work that goes in blocks is stopped and followed.
struct Blocks {
    std::stop_token stop = {};
    ShareFn share = {}; ///< told after each; may be absent
};

/// Attention that every key of one layer received from the last `queries` queries (from all: cumulative importance),
/// under the layer's rule, whose window and biases count: q (heads, queries, head_dim), k (kv_heads, context,
/// head_dim), row_lse (heads, queries) float32, all on one device. Returns (heads, context) float32 on that device.
/// Throws Cancelled between blocks of queries.
at::Tensor column_sums(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule,
    const Backend& backend, const Blocks& blocks);

} // namespace keepset
