#pragma once

#include "core/analysis.h"
#include "ui/plot/heatmap.h"
#include "ui/shown.h"

#include <QFutureWatcher>
#include <QWidget>

#include <array>
#include <memory>
#include <optional>
#include <vector>

class QCheckBox;
class QComboBox;

namespace keepset::ui {

class Card;
class Exportable;
class RangeControl;
class SelectionState;
namespace plot {
    class HeatmapWidget;
}

/// Importance, in the mode that is chosen, as two maps that share their tokens: layer × token, and head × token of the
/// chosen layer. Values are gathered on a thread of the pool, so that the window never waits.
class HeatmapPage : public QWidget {
    Q_OBJECT

public:
    explicit HeatmapPage(SelectionState* selection, QWidget* parent = nullptr);

    /// Null: none.
    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    /// What the two policies keep of the row that is looked at, as marks under the maps; `scope`: which row, in words.
    void setSelections(
        const std::optional<RowSelection>& a, const std::optional<RowSelection>& b, const QString& scope = {});
    /// What is under way, for a page that has nothing to show yet; empty: nothing.
    void setWaiting(const QString& what);
    /// Of what it is, for exports.
    void setShown(const Shown& shown);
    /// Layer whose heads are shown.
    std::int64_t layer() const { return layer_; }
    /// True while values are gathered.
    bool isLoading() const { return loading_; }
    /// Its charts, for exports.
    std::vector<const Exportable*> exportables() const;

Q_SIGNALS:
    void mapsReady();
    void hovered(const QString& words); ///< for the status bar; empty: nothing
    void exportRequested(const keepset::ui::Exportable* chart);
    void copyRequested(const keepset::ui::Exportable* chart);
    void failed(const QString& sentence);

private:
    struct Values {
        std::shared_ptr<const plot::MapValues> layers; ///< (layers, context): mean over query heads
        std::shared_ptr<const plot::MapValues> heads; ///< (heads, context) of one layer
        std::int64_t layer = 0;
        Importance importance = Importance::cumulative;
    };
    /// A scale and what it was fitted to: finding it takes longer than a frame, and refresh() runs at every move of the
    /// sparsity slider.
    struct Fitted {
        std::shared_ptr<const plot::MapValues> values;
        ValueScaleKind kind = ValueScaleKind::log;
        std::optional<ValueRange> locked;
        ValueScale scale;
        Beyond beyond;
    };
    void makeControls();
    void makeCards();
    void follow();
    void load();
    void take();
    void refresh();
    plot::Heatmap mapOf(const std::shared_ptr<const plot::MapValues>& values);
    const Fitted& fittedTo(const std::shared_ptr<const plot::MapValues>& values);
    ValueScaleKind scaleKind() const;
    void showReadout(bool heads, qint64 row, qint64 column);
    void choose(bool heads, qint64 row, qint64 column);

    SelectionState* selection_;
    Card* layerCard_ = nullptr;
    Card* headCard_ = nullptr;
    plot::HeatmapWidget* layerMap_ = nullptr;
    plot::HeatmapWidget* headMap_ = nullptr;
    QComboBox* scale_ = nullptr;
    QComboBox* reduction_ = nullptr;
    QCheckBox* lock_ = nullptr;
    RangeControl* range_ = nullptr;
    QString waiting_; ///< what is under way
    std::shared_ptr<const Analysis> analysis_;
    std::vector<plot::MarkStrip> marks_;
    QString marksScope_; ///< of which row they are, in words
    Values values_;
    std::array<Fitted, 2> fitted_; ///< layer map, head map
    QFutureWatcher<Values> watcher_;
    std::int64_t layer_ = 0;
    bool loading_ = false;
};

} // namespace keepset::ui
