#pragma once

#include "ui/chart_export.h"
#include "ui/plot/heatmap.h"
#include "ui/zoom_history.h"

#include <QWidget>

namespace keepset::ui::plot {

/// What is told about the cell under the pointer, and which cell that is.
struct HeatmapReadout {
    QStringList lines; ///< the first one strong; behind a tab stands a second column
    CellRange rows;
    CellRange columns;
};

/// Shows a heatmap. Wheel: zoom the tokens (with Ctrl, and in a map of tiles always, the rows too). Drag: zoom to the
/// band; with Shift or the middle button: move. Right click or Backspace: the view before. Double click or 0:
/// everything. Arrows: move the cursor, Enter: choose.
class HeatmapWidget : public QWidget, public Exportable {
    Q_OBJECT

public:
    explicit HeatmapWidget(QWidget* parent = nullptr);

    /// New content; the view stays where the map has the same size.
    void setHeatmap(Heatmap heatmap);
    const Heatmap& heatmap() const { return heatmap_; }
    MapView view() const { return view_; }
    /// Looks at a part; the view before goes to the history (`notch`: of the wheel).
    void setView(const MapView& view, bool notch = false);
    /// Takes the columns of another map's view along, without history.
    void followColumns(const MapView& view);
    void undoZoom();
    bool canUndoZoom() const { return !history_.empty(); }
    void resetZoom();
    /// Told beside the cursor until the cursor moves.
    void setReadout(std::optional<HeatmapReadout> readout);
    /// Device pixels of the map.
    QSize mapPixels() const;

    QSize sizeHint() const override { return { 640, 300 }; }
    QSize minimumSizeHint() const override { return { 280, 120 }; }
    bool hasContent() const override { return heatmap_.filled(); }
    QString exportTitle() const override { return heatmap_.title; }
    QString exportSubtitle() const override { return heatmap_.subtitle; }
    QSize exportSize() const override;
    void paintExport(QPainter& painter, QRectF canvas) const override;
    QString exportCsv() const override;

Q_SIGNALS:
    void viewChanged(const keepset::ui::MapView& view);
    void resized(); ///< the map has another number of pixels
    void cellHovered(qint64 row, qint64 column); ///< -1, -1: none
    void cellClicked(qint64 row, qint64 column);
    void clickTakenBack(); ///< what was clicked last was the beginning of a double click

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    HeatmapLayout currentLayout() const;
    MapView inside(const MapView& view) const;
    void paintCursor(QPainter& painter, const HeatmapLayout& layout, const Style& look) const;
    void changeView(const MapView& view);
    void hover(std::optional<MapCell> cell);
    void moveCursor(int rows, int columns);
    const QImage& picture(const HeatmapLayout& layout, double pixelsAPoint);

    Heatmap heatmap_;
    MapView view_;
    ZoomHistory<MapView> history_;
    std::optional<MapCell> cursor_;
    std::optional<HeatmapReadout> readout_; ///< of cursor_
    std::optional<QRectF> band_;
    std::optional<QPointF> grabbed_;
    bool clicked_ = false; ///< the last press ended in a click on a cell
    QImage picture_; ///< of pictureView_
    MapView pictureView_;
};

} // namespace keepset::ui::plot
