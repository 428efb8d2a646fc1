#pragma once

#include "core/audit_report.h"
#include "ui/charts/chart_data.h"
#include "ui/shown.h"

#include <QWidget>

#include <array>
#include <vector>

class QComboBox;
class QLabel;
class QScrollArea;
class QVBoxLayout;

namespace keepset::ui {

namespace charts {
    class ChartView;
}

class Card;
class Exportable;

/// Every check of an audit: its state as sign and word, and what it means for the result. The analysis and the sweep
/// that are shown and a table that was opened have a report each; one of them is looked at. A table's curves stand over
/// its report.
class AuditPage : public QWidget {
    Q_OBJECT

public:
    enum class Of { analysis, sweep, table };
    explicit AuditPage(QWidget* parent = nullptr);

    /// Takes a report, what it is of and its curves, if they stand on no other page; looks at it where nothing or the
    /// same kind was looked at, or it is a table.
    void setReport(Of of, const AuditReport& report, const Shown& shown, charts::ChartData curves = {});
    /// The chart of curves, for exports.
    std::vector<const Exportable*> exportables() const;
    /// Of what the report looked at is.
    const Shown& shown() const { return entry().shown; }
    /// The report as text, as Copy and Save write it.
    QString reportText() const;

Q_SIGNALS:
    void openRequested(); ///< the window asks for a .csv or .h5 and opens it
    void lookedAtChanged(); ///< shown() is of another report
    void saveFailed(const QString& sentence);
    void exportRequested(const keepset::ui::Exportable* chart);
    void copyRequested(const keepset::ui::Exportable* chart);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Entry {
        AuditReport report;
        Shown shown;
        charts::ChartData curves;
        bool known = false;
    };
    const Entry& entry() const { return entries_[static_cast<std::size_t>(of_)]; }
    void makeControls();
    void look(Of of);
    void fillChoice();
    void rebuild();
    void showVerdict();
    void save();
    void addCheck(QVBoxLayout* rows, const Check& check);

    Card* card_;
    QLabel* verdict_;
    QScrollArea* scroll_;
    charts::ChartView* chart_;
    std::vector<QWidget*> ofChart_; ///< that export it
    QComboBox* choice_ = nullptr;
    std::array<QWidget*, 2> keeping_ {}; ///< Copy and Save
    std::array<Entry, 3> entries_; ///< by Of
    Of of_ = Of::analysis;
};

} // namespace keepset::ui
