#pragma once

#include "core/policy/choosing.h"

#include <string>

/// What policies have in common that share budgets by another policy's score (SEMANTICS 4c).
namespace keepset::policy {

/// The policy that a parameter `of` names, on the scores of a point.
struct Inner {
    PolicySpec spec;
    const Policy& policy;
    Settings settings;
    at::Tensor scores; ///< (score rows, context)
    const Choosing& from;

    Inner(const Choosing& from, const Settings& outer);
    /// Its plan for a budget a row, with the ends that it and the outer policy protect.
    kernels::SelectPlan plan(std::int64_t budget) const;
    /// The same without what is ranked.
    kernels::SelectPlan ends(std::int64_t budget) const;
    /// Most recent tokens that it keeps whatever the budget: a window of its own.
    std::int64_t kept_at_the_end() const;
};

/// Throws Error{usage} where a policy has no score of one table to go by.
void check_inner(const std::string& outer, const Settings& settings);
/// Labels (score rows, context) of the `budget` highest among every `rows` rows together: by score, then by position,
/// then by row. `ends` are labels that stay as they are and count; `safe` (score rows, context) bool is taken first.
at::Tensor best_together(
    const at::Tensor& scores, const at::Tensor& ends, const at::Tensor& safe, std::int64_t rows, std::int64_t budget);

} // namespace keepset::policy
