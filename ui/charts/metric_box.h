#pragma once

#include "core/metrics.h"

#include <QComboBox>
#include <QStringList>

namespace keepset::ui::charts {

/// Chooses among the metrics that a run holds, so that one which is new in core's table is offered by itself. What was
/// chosen comes back with the next run that has it.
class MetricBox : public QComboBox {
    Q_OBJECT

public:
    explicit MetricBox(QWidget* parent = nullptr);

    /// Null, or nothing measured yet: anything may come, so all are offered.
    void setRun(const Run* run);
    const Metric& metric() const;

Q_SIGNALS:
    void metricChanged(); ///< by the user

private:
    QStringList offered_;
    QString wanted_; ///< whether or not the run holds it
};

} // namespace keepset::ui::charts
