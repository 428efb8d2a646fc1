#pragma once

#include "core/run.h"
#include "ui/plot/chart.h"

#include <memory>
#include <vector>

/// Charts of sweeps from their results. Pure functions; the numbers are core's.
namespace keepset::ui {

/// A run beside the one on the page.
struct EarlierRun {
    QString name;
    std::shared_ptr<const Run> run;
};

struct PerplexityView {
    plot::AxisScale scale = plot::AxisScale::log;
    bool ratio = false; ///< to the dense model
};

/// "H2O (local 0.3)"; the name itself where it is no policy of ours.
QString methodTitle(const std::string& policy);
/// "demo.txt · context 1,024 · target 256 · 8 windows · keep set per head · prefill-evict".
QString setUpLine(const Run& run);
/// What the audit found wrong, in one text; empty where nothing failed.
QString auditWarning(const AuditReport& report);

/// Perplexity (or its ratio to dense) against sparsity: a line a method, its band the 95% interval of the difference to
/// dense, paired by window; dense as a dashed line; earlier runs dashed.
plot::Chart perplexityChart(const Run& run, const std::vector<EarlierRun>& earlier, const PerplexityView& view);
/// ΔNLL of every other method to `reference` with its paired 95% interval.
plot::Chart differenceChart(const Run& run, const std::string& reference);
/// Sparsities of a run's points above or at 0, ascending.
std::vector<double> sparsitiesOf(const Run& run);
/// The point of a method at a sparsity; null where there is none.
const SweepPoint* pointOf(const Run& run, const std::string& policy, double sparsity);

} // namespace keepset::ui
