#pragma once

#include "core/pass/dense_pass.h"
#include "core/policy/policy.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

/// What several scores of SEMANTICS 4b have in common.
namespace keepset::policy {

/// P of the last `queries` queries, given to `make` as (heads of some kv heads, queries, context) together with the
/// first of these kv heads; what it makes of them, (kv_heads there, context), joined: (kv_heads, context). Throws
/// Error{usage} where the context is not longer than `queries` and Cancelled between kv heads.
at::Tensor from_last_rows(const LayerPass& layer, std::int64_t queries, const std::string& policy,
    const std::function<at::Tensor(const at::Tensor& p, std::int64_t first_kv_head)>& make);

/// What every key gets of the attention of the last `queries` queries, mean over these and over the query heads of each
/// kv head: (kv_heads, context) float32. Throws as from_last_rows.
at::Tensor mean_of_last_rows(const LayerPass& layer, std::int64_t queries, const std::string& policy);

/// Mean over the query heads of each kv head: (heads, …) → (kv_heads, …).
at::Tensor group_mean(const at::Tensor& by_head, std::int64_t kv_heads);
/// Average over `kernel` neighbouring positions, zeros counted beyond the ends: (rows, positions) → the same.
at::Tensor average_pooled(const at::Tensor& rows, std::int64_t kernel);
/// ‖x‖₂ over the last axis, float32.
at::Tensor norms(const at::Tensor& x);
/// Throws Error{usage} where `kernel` is even.
void check_kernel(const std::string& policy, std::int64_t kernel);

/// `first` positions as sinks, the `last` as local, and of the rest the highest.
kernels::SelectPlan ends_and_highest(std::int64_t first, std::int64_t last, std::int64_t budget);

} // namespace keepset::policy
