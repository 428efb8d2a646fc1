#pragma once

#include "ui/charts/sweep_charts.h"
#include "ui/shown.h"

#include <QWidget>

#include <memory>
#include <vector>

class QComboBox;
class QLabel;
class QStackedWidget;
class QToolButton;

namespace keepset::ui {

namespace charts {
    class MetricBox;
}

class Card;
class Exportable;
class RunList;
class SelectionState;
class SweepForm;
class SweepTable;

/// A sweep: its set-up, the chart that grows while it runs, the paired differences, the table, and what may be said.
class SweepPage : public QWidget {
    Q_OBJECT

public:
    explicit SweepPage(SelectionState* selection, QWidget* parent = nullptr);

    /// What goes on with the run on the page.
    enum class Activity {
        none,
        running, ///< the sweep of this window
        following ///< another process writes it
    };

    /// Shows a run, finished or as far as it is; null: none. An error shown before goes.
    void setRun(std::shared_ptr<const Run> run, Activity activity = Activity::none);
    void setActivity(Activity activity);
    /// A sweep of this window is under way, whatever run is shown: it can be paused and stopped.
    void setSweeping(bool sweeping);
    std::shared_ptr<const Run> run() const { return run_; }
    /// An error that ended a sweep; what was done before stays on the page.
    void setError(const QString& sentence);
    /// Lays an earlier run over the chart, dashed; one of the same name goes. What it has that the run shown has not is
    /// said under the chart, and where the two cannot be compared, that instead of its curve.
    void addRun(std::shared_ptr<const Run> run, const QString& name, const QColor& color = {});
    void removeRun(const QString& name);
    void clearEarlierRuns();
    /// The list of runs, beside the table.
    RunList* runs() const { return runs_; }
    void showRuns();
    /// Says anew which runs lie over the chart.
    void tellEarlierRuns();
    void choosePoint(const QString& policy, double sparsity);
    /// The form, for defaults and obstacles.
    SweepForm* form() const { return form_; }
    /// Its charts, for exports.
    std::vector<const Exportable*> exportables() const;
    /// Of what it is, for exports.
    void setShown(const Shown& shown);

Q_SIGNALS:
    void layOverRequested(); ///< the window asks for .h5 files and calls addRun
    void exportRequested(const keepset::ui::Exportable* chart);
    void copyRequested(const keepset::ui::Exportable* chart);
    void earlierRunsChanged(const QStringList& names);

protected:
    void changeEvent(QEvent* event) override;

private:
    void makeChartCard();
    void makeDifferenceCard();
    void makeTableCard();
    QWidget* makeTableAndWords();
    void refresh();
    void refreshMethods();
    void showTableOrRuns();
    void refreshWords();
    void showState();
    std::vector<charts::EarlierRun> comparable() const;
    std::string reference() const;

    SelectionState* selection_;
    SweepForm* form_;
    Card* chartCard_ = nullptr;
    Card* differenceCard_ = nullptr;
    Card* tableCard_ = nullptr;
    charts::SweepCharts* charts_;
    QComboBox* scale_ = nullptr;
    charts::MetricBox* metric_ = nullptr;
    QComboBox* reference_ = nullptr;
    QToolButton* bands_ = nullptr;
    QToolButton* byDistance_ = nullptr; ///< checked: what the method loses by distance is wanted
    QWidget* clear_ = nullptr;
    SweepTable* table_ = nullptr;
    QStackedWidget* stack_ = nullptr; ///< the table with its words, or the list of runs
    RunList* runs_ = nullptr;
    QToolButton* showRuns_ = nullptr;
    QLabel* words_ = nullptr;
    QLabel* state_ = nullptr;
    QLabel* notes_ = nullptr;
    std::shared_ptr<const Run> run_;
    std::vector<charts::EarlierRun> earlier_;
    QString error_;
    Activity activity_ = Activity::none;
    bool sweeping_ = false;
};

} // namespace keepset::ui
