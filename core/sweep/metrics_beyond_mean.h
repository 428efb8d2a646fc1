#pragma once

#include "core/metrics.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keepset {

/// An array of the run by point and window; NaN where the run has none.
template <std::vector<double> Run::*Array> double element(const Run& run, std::size_t point, std::int64_t window)
{
    const std::vector<double>& values = run.*Array;
    const std::size_t index = point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window);
    return index < values.size() ? values[index] : not_a_number;
}

/// The lines of the table on what the mean loss hides (SEMANTICS 5): tails, some of the tokens, keep sets.
std::vector<Metric> metrics_beyond_mean();

} // namespace keepset
