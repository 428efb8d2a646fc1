#pragma once

#include "core/audit/checks.h"
#include "core/run.h"
#include "core/selection.h"

namespace keepset::audit_checks {

/// Whether two policies (canonical spelling) keep the same positions whatever the scores: h2o(local=1) and recent,
/// or cab and h2o with a budget of 4. A policy this build does not know differs from every other.
bool same_by_definition(const std::string& a, const std::string& b, const SelectRequest& request, std::int64_t context);
/// Equal losses of keep sets that differ prove a fault from so many scored tokens on, over all windows …
inline constexpr std::int64_t least_tokens = 32;
/// … and from two windows on, or among no more points than these. Else they are a warning.
inline constexpr std::size_t most_points = 32;
/// The check "distinct" on a run's window losses and keep sets.
Outcome check_distinct(const Run& run);

} // namespace keepset::audit_checks
