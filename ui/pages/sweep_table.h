#pragma once

#include "core/run.h"

#include <QTableWidget>

#include <vector>

namespace keepset::ui {

/// Perplexity of a run by method and sparsity, with the interval on hover; copies itself as tab-separated text.
class SweepTable : public QTableWidget {
    Q_OBJECT

public:
    explicit SweepTable(QWidget* parent = nullptr);

    /// Null: it is empty and hidden.
    void setRun(const Run* run);
    /// Tab-separated, the headings first.
    QString text() const;
    void copy() const;

private:
    void addRow(const Run& run, const std::string& method, const std::vector<double>& sparsities);
};

} // namespace keepset::ui
