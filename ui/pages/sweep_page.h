#pragma once

#include "ui/charts/sweep_charts.h"
#include "ui/shown.h"

#include <QWidget>

#include <memory>
#include <vector>

class QComboBox;
class QLabel;
class QTableWidget;

namespace keepset::ui {

class Card;
class Exportable;
class SelectionState;
class SweepForm;

/// A sweep: its set-up, the chart that grows while it runs, the paired differences, the table, and what may be said.
class SweepPage : public QWidget {
    Q_OBJECT

public:
    explicit SweepPage(SelectionState* selection, QWidget* parent = nullptr);

    /// Shows a run, finished or a snapshot of one under way; null: none.
    void setRun(std::shared_ptr<const Run> run, bool finished);
    /// A sweep was started and has no window yet (true), or was stopped (false).
    void setBusy(bool busy);
    /// An error that ended a sweep; what was done before stays on the page.
    void setError(const QString& sentence);
    /// Lays an earlier run over the chart, dashed.
    void addRun(std::shared_ptr<const Run> run, const QString& name);
    void clearEarlierRuns();
    /// The form, for defaults and obstacles.
    SweepForm* form() const { return form_; }
    /// Its charts, for exports.
    std::vector<const Exportable*> exportables() const;
    /// Of what it is, for exports.
    void setShown(const Shown& shown);
    /// The table as tab-separated text.
    QString tableText() const;

Q_SIGNALS:
    void startRequested(const keepset::SweepRequest& request); ///< `resume` is set by Go on
    void stopRequested();
    void layOverRequested(); ///< the window asks for .h5 files and calls addRun
    void exportRequested(const keepset::ui::Exportable* chart);

protected:
    void changeEvent(QEvent* event) override;

private:
    void makeChartCard();
    void makeDifferenceCard();
    void makeTableCard();
    void makeTable();
    void refresh();
    void refreshMethods();
    void refreshTable();
    void addTableRow(const std::string& method, const std::vector<double>& sparsities);
    void refreshWords();
    void showState();
    std::string reference() const;
    void copyTable();

    SelectionState* selection_;
    SweepForm* form_;
    Card* chartCard_ = nullptr;
    Card* differenceCard_ = nullptr;
    Card* tableCard_ = nullptr;
    charts::SweepCharts* charts_;
    QComboBox* scale_ = nullptr;
    QComboBox* metric_ = nullptr;
    QComboBox* reference_ = nullptr;
    QWidget* clear_ = nullptr;
    QTableWidget* table_ = nullptr;
    QLabel* words_ = nullptr;
    QLabel* state_ = nullptr;
    QLabel* notes_ = nullptr;
    std::shared_ptr<const Run> run_;
    std::vector<charts::EarlierRun> earlier_;
    QString error_;
    bool finished_ = false;
    bool busy_ = false;
};

} // namespace keepset::ui
