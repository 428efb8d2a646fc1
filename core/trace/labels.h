#pragma once

#include "core/policies.h"
#include "core/trace/h5.h"

#include <string>

/// Keep sets as a trace has them: the label enum, and policies as they were asked for.
namespace keepset::trace {

/// The enum of /keep/<n>/label over uint8.
h5::Handle label_type();
/// "cab(bridge=median,local=0.3)": every parameter that was set, in the order of the map.
std::string spelled(const PolicySpec& policy);
/// Back from spelled(). Throws Failure where the text is not of that form.
PolicySpec unspelled(const std::string& text);

} // namespace keepset::trace
