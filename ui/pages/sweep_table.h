#pragma once

#include "core/metrics.h"

#include <QTableWidget>

#include <vector>

namespace keepset::ui {

/// A metric of a run by method and sparsity, with the interval on hover; copies itself as tab-separated text.
class SweepTable : public QTableWidget {
    Q_OBJECT

public:
    explicit SweepTable(QWidget* parent = nullptr);

    /// Null: it is empty and hidden.
    void setRun(const Run* run, const Metric& metric);
    /// Tab-separated, the headings first.
    QString text() const;
    void copy() const;

private:
    void addRow(const QString& title, const std::vector<Interval>& values, const Metric& metric);
};

} // namespace keepset::ui
