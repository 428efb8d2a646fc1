#pragma once

#include "core/run.h"

#include <string>
#include <vector>

/// Whether two runs may stand on one chart, and what is to be said when they do.
namespace keepset {

struct RunComparison {
    std::vector<std::string> differs; ///< "context 512 instead of 256"; of points and devices nothing is said
    std::string refusal; ///< a sentence why they cannot be compared; empty: they can
};
/// What `other` has that `shown` has not. Perplexities of other tokens than those of `shown` are refused.
RunComparison compare_runs(const Run& shown, const Run& other);

} // namespace keepset
