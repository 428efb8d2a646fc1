#pragma once

#include "core/task.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

/// The audit's reports (SEMANTICS 8).
namespace keepset {

/// undecided: the numbers that the check looks at are not finite, so that "finite" fails and this one cannot tell.
enum class CheckStatus : std::uint8_t { pass, warning, fail, undecided, not_applicable };
std::string name_of(CheckStatus value);

/// One check of SEMANTICS 8.
struct Check {
    std::string name; ///< "baseline", "distinct", …
    CheckStatus status = CheckStatus::not_applicable;
    std::string detail; ///< what was found and what it means, in words
};

struct AuditReport {
    std::vector<Check> checks;
    bool failed() const;
    bool warned() const;
};

/// The checks in the order they are reported: "finite" first, because others depend on it.
inline constexpr std::array check_names { "finite", "baseline", "distinct", "budget", "mass", "causality",
    "same targets", "monotone", "plausible", "sink", "ties" };

/// What another token at one place of a text changed, relative to the largest value compared (SEMANTICS 8, causality).
/// NaN: not tried.
struct Perturbation {
    double before = not_a_number; ///< largest change at the positions before it: none under causal attention
    double after = not_a_number; ///< largest change from it on: there must be one
};

} // namespace keepset
