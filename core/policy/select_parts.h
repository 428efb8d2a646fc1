#pragma once

#include "core/policy/choosing.h"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace keepset {
struct Analysis;
}

/// What selecting from one row and from all of them have in common.
namespace keepset::policy {

/// Cumulative importance, and what a mode ranks by instead of it. Throws Error{usage} where that is not there.
ImportanceView view_of(const Analysis& analysis, const Importance& importance = Importance::cumulative);
/// Values (rows, context), borrowed.
at::Tensor borrowed_rows(const std::vector<float>& values, std::int64_t context);
std::int64_t count_kept(std::span<const Label> labels);
/// Sum of `mass` where a label keeps it.
double mass_of(std::span<const Label> labels, std::span<const double> mass);
/// Throws why a score that the policy ranks by could not be made. `missing`: Analysis::no_scores.
void refuse_missing(
    const PolicySpec& policy, const std::map<std::string, std::pair<std::string, std::string>>& missing);
/// What is not finite where one of the points ranks by a score of its own: "score", else "importance".
std::string word_of(std::span<const Prepared> points);
/// Throws Error{internal} where a row kept another number than its budget, and shares it with no other.
void check_kept(const Prepared& point, const Row& row, std::span<const Label> labels);

} // namespace keepset::policy
