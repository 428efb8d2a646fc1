#pragma once

#include "core/model/score_rule.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace keepset {

/// P of the last `queries` queries of a layer over all of its keys, by the layer's rule, softmax in float32 (SEMANTICS
/// 1): q (heads, as many or more, head_dim), k (kv_heads, context, head_dim) → (heads, queries, context) float32; 0
/// where a query does not see a key. Takes four times that much memory for a moment.
at::Tensor last_rows(const at::Tensor& q, const at::Tensor& k, const ScoreRule& rule, std::int64_t queries);

} // namespace keepset
