#pragma once

#include "core/types.h"

#include <array>

/// What the audits of runs, analyses and imported tables share (SEMANTICS 8).
namespace keepset::audit_checks {

inline constexpr double mass_tolerance = 1e-4; ///< relative, for mass and causality
inline constexpr double baseline_tolerance = 1e-5; ///< relative, of the NLL
/// The checks in the order they are reported.
inline constexpr std::array names { "baseline", "distinct", "budget", "mass", "causality", "same targets", "monotone",
    "plausible", "finite" };

/// Status and words of a check; the report adds the name.
struct Outcome {
    CheckStatus status = CheckStatus::not_applicable;
    std::string detail;
};

Outcome passed(std::string detail);
Outcome failed(std::string detail);
Outcome warned(std::string detail);
Outcome not_applicable(std::string detail);
/// Checks in the order of `names`.
AuditReport report_of(const std::array<Outcome, names.size()>& outcomes);
/// "H2O and CAB at 50% and 90%".
std::string pair_at(const std::string& a, const std::string& b, const std::vector<double>& sparsities);

} // namespace keepset::audit_checks
