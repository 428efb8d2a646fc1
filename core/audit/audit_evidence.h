#pragma once

#include "core/audit/checks.h"
#include "core/run.h"

/// Checks of a run by its evidence: what was read, chosen, put into the cache and scored, and what importance came out
/// (SEMANTICS 8). `done`: the windows that are. Each says what is missing where a file of an earlier version lacks it.
namespace keepset::audit_checks {

/// "H2O at 50%".
std::string point_name(const SweepPoint& point);

Outcome check_budget(const Run& run, const std::vector<std::size_t>& done);
Outcome check_mass(const Run& run, const std::vector<std::size_t>& done);
Outcome check_causality(const Run& run, const std::vector<std::size_t>& done);
Outcome check_targets(const Run& run, const std::vector<std::size_t>& done);
Outcome check_sink(const Run& run, const std::vector<std::size_t>& done);
Outcome check_ties(const Run& run, const std::vector<std::size_t>& done);

} // namespace keepset::audit_checks
