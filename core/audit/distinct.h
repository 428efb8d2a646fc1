#pragma once

#include "core/audit/checks.h"

namespace keepset::audit_checks {

/// Whether two policies (canonical spelling) keep the same positions whatever the scores: h2o(local=1) and recent,
/// or cab and h2o with a budget of 4. A policy this build does not know differs from every other.
bool same_by_definition(const std::string& a, const std::string& b, const SelectRequest& request, std::int64_t context);
/// The check "distinct" on a run's window losses and keep sets.
Outcome check_distinct(const Run& run);

} // namespace keepset::audit_checks
