#pragma once

#include "core/policies.h"

#include <ATen/core/Tensor.h>

#include <string>

/// Scores that may be as good as equal in a row (core/flat_rows.h).
namespace keepset::policy {

/// The one of a policy's scores that may be so, as scores_of spells it; empty: none.
std::string flat_score_of(const PolicySpec& policy);
/// How many rows of scores (rows, context) are: () int64 on their device. A row that is not finite is not.
at::Tensor count_flat(const at::Tensor& scores, double least_spread);

} // namespace keepset::policy
