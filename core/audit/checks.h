#pragma once

#include "core/audit_report.h"

#include <array>
#include <map>

/// What the audits of runs, analyses and imported tables share (SEMANTICS 8).
namespace keepset::audit_checks {

inline constexpr double mass_tolerance = 1e-4; ///< relative, for mass and causality
inline constexpr double baseline_tolerance = 1e-5; ///< relative, of the NLL
/// From here on a float32 can hardly hold the sum of squares that a norm takes of a hidden state: it becomes infinite,
/// and the norm's output 0, which looks finite.
inline constexpr double overflow_limit = 1e18;
/// Share of the attention mass on token 0 from which a policy that drops it is warned of.
inline constexpr double large_sink = 0.2;

/// Status and words of a check; the report adds the name.
struct Outcome {
    CheckStatus status = CheckStatus::not_applicable;
    std::string detail;
};

Outcome passed(std::string detail);
Outcome failed(std::string detail);
Outcome warned(std::string detail);
Outcome undecided(std::string detail);
Outcome not_applicable(std::string detail);
/// Checks in the order of check_names; those without an outcome do not apply, for the reason given.
AuditReport report_of(const std::map<std::string, Outcome>& outcomes, const std::string& otherwise);
/// "H2O and CAB at 50% and 90%".
std::string pair_at(const std::string& a, const std::string& b, const std::vector<double>& sparsities);
/// "hidden states reach 1e+29 …" where such a magnitude is no finite number or above overflow_limit; else empty.
std::string overflow_words(double largest_hidden);
/// "Token 0 holds 4.37% of the attention mass".
std::string sink_words(double mass);
/// What changing a `changed` ("context token") did to each `compared` ("logit"): words for the check, or its failure.
Outcome judge_perturbation(const Perturbation& found, const std::string& changed, const std::string& compared);

} // namespace keepset::audit_checks
