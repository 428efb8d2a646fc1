#pragma once

#include "core/run.h"
#include "ui/charts/chart_data.h"

#include <string>

namespace keepset::ui::charts {

/// What one method loses to dense by how far behind the context the targets stand (SEMANTICS 5): targets near, in the
/// middle and far, side by side in a slot for every sparsity, with their paired 95% intervals.
ChartData distanceChart(const Run& run, const std::string& method);

} // namespace keepset::ui::charts
