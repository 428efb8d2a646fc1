#pragma once

#include "core/analysis.h"

namespace keepset {

/// As find_importance, null only where the mode is not one by the last queries. Throws Error{usage} where it is not
/// there.
std::shared_ptr<const std::vector<float>> importance_of(const Analysis& analysis, const Importance& importance);

} // namespace keepset
