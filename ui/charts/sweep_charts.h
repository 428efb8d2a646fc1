#pragma once

#include "core/run.h"
#include "ui/charts/chart_data.h"

#include <QColor>
#include <QObject>

#include <memory>
#include <optional>
#include <vector>

class QWidget;

/// Charts of sweeps from their results. The numbers are core's.
namespace keepset::ui::charts {

class ChartView;
class MethodLegend;

/// A run beside the one on the page.
struct EarlierRun {
    QString name;
    std::shared_ptr<const Run> run;
    QColor color {}; ///< of its lines; none: those of the methods
};

struct MetricView {
    std::string metric = "perplexity"; ///< by its name in core's table
    AxisScale scale = AxisScale::log; ///< what can be below 0 is linear all the same
};

/// "H2O (local 0.3)"; the name itself where it is no policy of ours.
QString methodTitle(const std::string& policy);
/// What the audit found wrong, in one text; empty where nothing failed.
QString auditWarning(const AuditReport& report);

/// A metric against sparsity: a line a method with its 95% band (bands_of); dense as a dashed line; earlier runs
/// dashed.
ChartData metricChart(const Run& run, const std::vector<EarlierRun>& earlier, const MetricView& view);
/// ΔNLL of every other method to `reference` with its paired 95% interval, every sparsity in a slot of its own.
ChartData differenceChart(const Run& run, const std::string& reference);
/// Sparsities of a run's points above or at 0, ascending.
std::vector<double> sparsitiesOf(const Run& run);
/// The point of a method at a sparsity; null where there is none.
const SweepPoint* pointOf(const Run& run, const std::string& policy, double sparsity);

/// The two charts of a sweep and their common legend: what is hidden or pointed at in one is so in the other. Owned by
/// the page that lays them out.
class SweepCharts : public QObject {
    Q_OBJECT

public:
    explicit SweepCharts(QWidget* parent);
    ChartView* metric() const { return metric_; }
    ChartView* difference() const { return difference_; }
    MethodLegend* legend() const { return legend_; }

    /// What the second chart shows from the next run on: what a method loses by distance, in place of the others'
    /// difference to it.
    void setByDistance(bool byDistance) { byDistance_ = byDistance; }
    void setRun(
        const Run& run, const std::vector<EarlierRun>& earlier, const MetricView& view, const std::string& reference);
    /// No run: the words say what would be here.
    void clear(const QString& metricWords);

Q_SIGNALS:
    void pointClicked(const QString& policy, double sparsity);

private:
    ChartView* metric_;
    ChartView* difference_;
    MethodLegend* legend_;
    bool byDistance_ = false;
};

} // namespace keepset::ui::charts
