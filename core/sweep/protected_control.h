#pragma once

#include "core/run.h"

#include <string>
#include <vector>

/// The control of every score (SEMANTICS 4b): chance that keeps both ends of the context, as protection alone is worth
/// more than most scores.
namespace keepset {

/// "random(sink=4,recent=0.1)".
extern const char* const protected_random;
/// Whether a policy is such a control: random, with first and most recent tokens kept.
bool is_protected_random(const PolicySpec& policy);
/// Whether a policy ranks by a score, so that it needs the control.
bool ranks_by_score(const PolicySpec& policy);
/// The spelling of a run's control; empty where it has none.
std::string protected_control_of(const Run& run);

} // namespace keepset
