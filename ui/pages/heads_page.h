#pragma once

#include "ui/charts/head_charts.h"
#include "ui/color_map.h"
#include "ui/heatmap_geometry.h"
#include "ui/shown.h"

#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

class QComboBox;

namespace keepset::ui {

class Card;
class Exportable;
class KeepSetState;
class RangeControl;
class SelectionState;
class Session;
namespace plot {
    class HeatmapWidget;
}

/// Every query head of the model: as a sheet of small tiles, and as points placed by two of their numbers. What is
/// chosen in one is marked in the other, and looked at on every page.
class HeadsPage : public QWidget {
    Q_OBJECT

public:
    HeadsPage(SelectionState* selection, KeepSetState* keepSets, Session* session, QWidget* parent = nullptr);

    /// Null: none.
    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    /// What is under way, for a page that has nothing to show yet; empty: nothing.
    void setWaiting(const QString& what);
    /// Of what it is, for exports.
    void setShown(const Shown& shown);
    /// True while something of what is looked at is being made.
    bool isLoading() const;
    std::vector<const Exportable*> exportables() const;

Q_SIGNALS:
    void hovered(const QString& words); ///< for the status bar; empty: nothing
    void exportRequested(const keepset::ui::Exportable* chart);
    void copyRequested(const keepset::ui::Exportable* chart);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    void makeSheet();
    void makeScatter();
    QComboBox* axisChoice(const char* name, const QString& what, charts::HeadAxis first);
    void ask();
    bool hasTiles() const;
    void refresh();
    void showSheet();
    void showScatter();
    ValueScaleKind scaleKind() const;
    void fit(Reduction reduction);
    void nameAxes();
    charts::ChosenHeads chosen() const;
    void tell(std::optional<MapCell> head, bool onSheet);
    void choose(std::int64_t layer, std::int64_t head);

    SelectionState* selection_;
    KeepSetState* keepSets_;
    Session* session_;
    Card* sheetCard_ = nullptr;
    Card* scatterCard_ = nullptr;
    plot::HeatmapWidget* sheet_ = nullptr;
    charts::HeadScatter* scatter_ = nullptr;
    RangeControl* range_ = nullptr;
    QComboBox* scale_ = nullptr;
    QComboBox* reduction_ = nullptr;
    QComboBox* x_ = nullptr;
    QComboBox* y_ = nullptr;
    QString waiting_; ///< what is under way
    std::shared_ptr<const Analysis> analysis_;
    charts::HeadFacts facts_;
    charts::ChosenHeads marked_; ///< as it is shown
    struct {
        std::shared_ptr<const HeadSummaries> heads;
        Reduction reduction = Reduction::max;
        ValueScaleKind kind = ValueScaleKind::log;
        std::optional<ValueRange> locked;
        ValueScale scale;
        Beyond beyond;
    } fitted_; ///< finding a scale takes longer than a frame
    bool asked_ = false; ///< for the heads of analysis_, in the importance that is chosen
};

} // namespace keepset::ui
