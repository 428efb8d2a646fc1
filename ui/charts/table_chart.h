#pragma once

#include "core/audit.h"
#include "ui/charts/chart_data.h"

namespace keepset::ui::charts {

/// Perplexity over sparsity of a table from elsewhere: a line a method, dense as a dashed line, and what its audit
/// found wrong in words across the top and as rings around the points where it was found.
ChartData tableChart(const ImportedTable& table, const AuditReport& report);

} // namespace keepset::ui::charts
