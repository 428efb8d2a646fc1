#pragma once

#include "core/policy/policy.h"
#include "core/sweep/comparisons.h"

/// Sentences on which of two differences between methods makes a gain (SEMANTICS 4).
namespace keepset {

/// "50%, 80% and 90%".
std::string at_sparsities(const std::vector<double>& sparsities);

/// Where `winner` beats `loser` at `gains`: whose the gain is by the control, with both parts and both paired
/// intervals. The control is a method of the run. Begins with a space.
std::string say_whose_gain(const Comparisons& made, const std::string& winner, const std::string& loser,
    const policy::Control& control, const std::vector<double>& gains);
/// That the control is missing from a run that compares the two methods. Begins with a space.
std::string say_missing(const policy::Control& control);

} // namespace keepset
