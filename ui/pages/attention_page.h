#pragma once

#include "core/engine.h"
#include "ui/plot/heatmap.h"
#include "ui/shown.h"

#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

class QCheckBox;
class QComboBox;
class QToolButton;

namespace keepset::ui {

class AttentionDrawing;
class Card;
class Exportable;
class ElidedLabel;
class SelectionState;
class Session;
namespace plot {
    class HeatmapWidget;
}

/// P of one layer and query head as a picture, query × key, in cells no larger than a pixel where the tokens are.
class AttentionPage : public QWidget {
    Q_OBJECT

public:
    AttentionPage(SelectionState* selection, Session* session, QWidget* parent = nullptr);

    /// Null: none.
    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    /// What each policy keeps of the keys, and of which layers and heads that is.
    void setMarks(std::vector<plot::MarkStrip> marks, const QString& scope);
    /// What is looked at; the picture may still be of another.
    std::int64_t layer() const { return layer_; }
    std::int64_t head() const { return head_; } ///< query head
    /// Whether a map is being made.
    bool isDrawing() const;
    bool hasMap() const;
    /// Its charts, for exports.
    std::vector<const Exportable*> exportables() const;
    /// What is under way, for a page that has nothing to show yet; empty: nothing.
    void setWaiting(const QString& what);
    /// Of what it is, for exports.
    void setShown(Shown shown);

Q_SIGNALS:
    void mapReady();
    void hovered(const QString& words); ///< for the status bar; empty: nothing
    void exportRequested(const keepset::ui::Exportable* chart);
    void copyRequested(const keepset::ui::Exportable* chart);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void makeControls();
    void makeMap();
    void fillChoices();
    void follow(Scope scope);
    void look(std::int64_t layer, std::int64_t head);
    void askSoon();
    void ask();
    void rescale();
    void refresh();
    QString subtitle() const;
    QString progressText() const;
    QString emptyText() const;
    QString tokens(std::int64_t begin, std::int64_t end) const;
    void tellCell(qint64 query, qint64 key);
    void choose(qint64 query, qint64 key);
    std::int64_t group() const; ///< query heads of a kv head
    const plot::AttentionTiles& tiles() const;

    SelectionState* selection_;
    AttentionDrawing* drawing_;
    Card* card_ = nullptr;
    plot::HeatmapWidget* map_ = nullptr;
    QComboBox* layers_ = nullptr;
    QComboBox* heads_ = nullptr;
    QComboBox* reduction_ = nullptr;
    QComboBox* scale_ = nullptr;
    QCheckBox* lock_ = nullptr;
    QToolButton* back_ = nullptr;
    QToolButton* whole_ = nullptr;
    ElidedLabel* words_ = nullptr;
    QString waiting_; ///< what is under way
    std::shared_ptr<const Analysis> analysis_;
    std::int64_t layer_ = 0;
    std::int64_t head_ = 0;
    ValueScale values_; ///< colours of the tiles
    std::vector<plot::MarkStrip> marks_; ///< under the keys
    QString marksScope_;
    std::optional<MapCell> pointed_; ///< query and key under the pointer
    bool asked_ = false; ///< a look at the view is queued
};

} // namespace keepset::ui
