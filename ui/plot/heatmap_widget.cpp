#include "ui/plot/heatmap_widget.h"

#include "ui/plot/readout_box.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <utility>

namespace keepset::ui::plot {

namespace {

    constexpr double smallestBand = 5;
    constexpr double fewestTokens = 8; ///< of each axis of a map of tiles

} // namespace

HeatmapWidget::HeatmapWidget(QWidget* parent)
    : QWidget(parent)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void HeatmapWidget::setHeatmap(Heatmap heatmap)
{
    const bool sameSize = heatmap.size() == heatmap_.size();
    if (heatmap.values != heatmap_.values || heatmap.tiles != heatmap_.tiles || heatmap.heads != heatmap_.heads
        || heatmap.reduction != heatmap_.reduction || !(heatmap.scale == heatmap_.scale))
        picture_ = QImage();
    heatmap_ = std::move(heatmap);
    if (!sameSize) {
        history_.clear();
        cursor_.reset();
        readout_.reset();
        view_ = wholeMap(heatmap_.size());
    }
    setAccessibleName(heatmap_.title);
    setAccessibleDescription(heatmap_.filled() ? heatmap_.subtitle : heatmap_.emptyText);
    update();
}

void HeatmapWidget::setView(const MapView& view, bool notch)
{
    const MapView next = inside(view);
    if (next == view_)
        return;
    notch ? history_.pushNotch(view_) : history_.push(view_);
    changeView(next);
}

void HeatmapWidget::followColumns(const MapView& view)
{
    MapView next = view_;
    next.columnBegin = view.columnBegin;
    next.columnEnd = view.columnEnd;
    if (!heatmap_.filled() || next == view_)
        return;
    view_ = inside(next);
    update();
}

void HeatmapWidget::undoZoom()
{
    if (const auto before = history_.back())
        changeView(*before);
}

void HeatmapWidget::resetZoom()
{
    if (view_ == wholeMap(heatmap_.size()))
        return;
    history_.clear();
    changeView(wholeMap(heatmap_.size()));
}

void HeatmapWidget::changeView(const MapView& view)
{
    view_ = view;
    update();
    Q_EMIT viewChanged(view_);
}

MapView HeatmapWidget::inside(const MapView& view) const
{
    return clamped(view, heatmap_.size(), heatmap_.tiled() ? fewestTokens : 1);
}

void HeatmapWidget::setReadout(std::optional<HeatmapReadout> readout)
{
    readout_ = std::move(readout);
    update();
}

QSize HeatmapWidget::mapPixels() const { return (currentLayout().map.size() * devicePixelRatioF()).toSize(); }

void HeatmapWidget::resizeEvent(QResizeEvent*) { Q_EMIT resized(); }

QString HeatmapWidget::exportCsv() const
{
    return heatmap_.tiled() ? tilesCsv(heatmap_.tiles, view_) : heatmapCsv(heatmap_, view_);
}

HeatmapLayout HeatmapWidget::currentLayout() const
{
    return layoutHeatmap(heatmap_, view_, styleFor(palette()), QRectF(rect()).adjusted(0, 0, 0, -2));
}

QSize HeatmapWidget::exportSize() const { return { std::max(width(), 640), std::max(height(), 240) }; }

void HeatmapWidget::paintExport(QPainter& painter, QRectF canvas) const
{
    const Style paper = chartStyle(false);
    const HeatmapLayout layout = layoutHeatmap(heatmap_, view_, paper, canvas);
    QImage image;
    if (heatmap_.filled())
        image = renderHeatmap(heatmap_, view_, (layout.map.size() * 2).toSize());
    paintHeatmap(painter, heatmap_, layout, paper, { view_, image });
}

const QImage& HeatmapWidget::picture(const HeatmapLayout& layout, double pixelsAPoint)
{
    const QSize pixels = (layout.map.size() * pixelsAPoint).toSize();
    if (picture_.size() != pixels || pictureView_ != view_) {
        picture_ = renderHeatmap(heatmap_, view_, pixels);
        pictureView_ = view_;
    }
    return picture_;
}

void HeatmapWidget::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const Style look = styleFor(palette());
    const HeatmapLayout layout = currentLayout();
    const QImage none;
    // The painter knows the pixels of a picture that is taken at a scale of its own; the widget only those of its
    // screen.
    const double pixelsAPoint = painter.deviceTransform().m11();
    paintHeatmap(painter, heatmap_, layout, look, { view_, heatmap_.filled() ? picture(layout, pixelsAPoint) : none });
    if (hasFocus()) {
        painter.setPen(QPen(look.accent, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(layout.map.adjusted(-2, -2, 2, 2));
    }
    if (!heatmap_.filled())
        return;
    if (cursor_)
        paintCursor(painter, layout, look);
    if (band_) {
        painter.setPen(QPen(Qt::white, 1.5));
        painter.setBrush(QColor(255, 255, 255, 50));
        painter.drawRect(band_->normalized());
    }
}

void HeatmapWidget::paintCursor(QPainter& painter, const HeatmapLayout& layout, const Style& look) const
{
    const CellRange rows = readout_ ? readout_->rows : CellRange { cursor_->row, cursor_->row + 1 };
    const CellRange columns = readout_ ? readout_->columns : CellRange { cursor_->column, cursor_->column + 1 };
    const QPointF first
        = pixelOf(view_, layout.map, { static_cast<double>(columns.begin), static_cast<double>(rows.begin) });
    const QPointF last
        = pixelOf(view_, layout.map, { static_cast<double>(columns.end), static_cast<double>(rows.end) });
    const QRectF cell(first, QPointF(std::max(first.x() + 3, last.x()), std::max(first.y() + 3, last.y())));
    painter.setBrush(Qt::NoBrush);
    if (readout_) {
        painter.setPen(QPen(look.muted, 1, Qt::DotLine));
        painter.drawLine(QPointF(layout.map.left(), cell.center().y()), QPointF(cell.left(), cell.center().y()));
        painter.drawLine(QPointF(cell.center().x(), cell.bottom()), QPointF(cell.center().x(), layout.map.bottom()));
    }
    painter.setPen(QPen(QColor(0, 0, 0, 140), 3));
    painter.drawRect(cell.intersected(layout.map));
    painter.setPen(QPen(Qt::white, 1));
    painter.drawRect(cell.intersected(layout.map));
    if (readout_)
        paintReadoutLines(painter, readout_->lines, look, cell.center(), layout.canvas);
}

void HeatmapWidget::wheelEvent(QWheelEvent* event)
{
    const QRectF map = currentLayout().map;
    if (!heatmap_.filled() || !map.contains(event->position())) {
        event->ignore();
        return;
    }
    if (event->modifiers() & Qt::ShiftModifier) {
        setView(panned(view_, QPointF(event->angleDelta().y() + event->angleDelta().x(), 0), map.size()), true);
    } else {
        const double factor = std::pow(0.8, event->angleDelta().y() / 120.0);
        const bool rowsToo = heatmap_.zoomsAsOne() || (event->modifiers() & Qt::ControlModifier);
        setView(zoomed(view_, factor, cellPointAt(view_, map, event->position()), rowsToo), true);
    }
    event->accept();
}

void HeatmapWidget::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::RightButton)
        return undoZoom();
    clicked_ = false;
    if (!heatmap_.filled() || !currentLayout().map.contains(event->position()))
        return;
    const bool move = event->button() == Qt::MiddleButton || (event->modifiers() & Qt::ShiftModifier);
    if (move)
        grabbed_ = event->position();
    else if (event->button() == Qt::LeftButton)
        band_ = QRectF(event->position(), QSizeF(0, 0));
}

void HeatmapWidget::mouseMoveEvent(QMouseEvent* event)
{
    const QRectF map = currentLayout().map;
    if (grabbed_) {
        changeView(inside(panned(view_, event->position() - *grabbed_, map.size())));
        grabbed_ = event->position();
    } else if (band_) {
        band_->setBottomRight({ std::clamp(event->position().x(), map.left(), map.right()),
            std::clamp(event->position().y(), map.top(), map.bottom()) });
        update();
    } else if (heatmap_.filled()) {
        hover(cellAt(view_, heatmap_.size(), map, event->position()));
    }
}

void HeatmapWidget::mouseReleaseEvent(QMouseEvent* event)
{
    grabbed_.reset();
    if (event->button() != Qt::LeftButton || !band_)
        return;
    const QRectF band = band_->normalized();
    band_.reset();
    update();
    const QRectF map = currentLayout().map;
    if (band.width() >= smallestBand && band.height() >= smallestBand)
        return setView(selected(view_, band, map));
    if (const auto cell = cellAt(view_, heatmap_.size(), map, event->position())) {
        clicked_ = true;
        Q_EMIT cellClicked(cell->row, cell->column);
    }
}

void HeatmapWidget::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    if (std::exchange(clicked_, false))
        Q_EMIT clickTakenBack();
    resetZoom();
}

void HeatmapWidget::leaveEvent(QEvent*) { hover(std::nullopt); }

void HeatmapWidget::hover(std::optional<MapCell> cell)
{
    if (cell == cursor_)
        return;
    cursor_ = cell;
    readout_.reset();
    update();
    Q_EMIT cellHovered(cell ? cell->row : -1, cell ? cell->column : -1);
}

void HeatmapWidget::moveCursor(int rows, int columns)
{
    const MapSize size = heatmap_.size();
    if (!heatmap_.filled())
        return;
    MapCell cell = cursor_.value_or(
        MapCell { static_cast<std::int64_t>(view_.rowBegin), static_cast<std::int64_t>(view_.columnBegin) });
    cell.row = std::clamp<std::int64_t>(cell.row + rows, 0, size.rows - 1);
    cell.column = std::clamp<std::int64_t>(cell.column + columns, 0, size.columns - 1);
    hover(cell);
}

void HeatmapWidget::keyPressEvent(QKeyEvent* event)
{
    const QPointF centre((view_.columnBegin + view_.columnEnd) / 2, (view_.rowBegin + view_.rowEnd) / 2);
    const int step = event->modifiers() & Qt::ControlModifier ? 64 : 1;
    switch (event->key()) {
    case Qt::Key_Left:
        return moveCursor(0, -step);
    case Qt::Key_Right:
        return moveCursor(0, step);
    case Qt::Key_Up:
        return moveCursor(-1, 0);
    case Qt::Key_Down:
        return moveCursor(1, 0);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (cursor_)
            Q_EMIT cellClicked(cursor_->row, cursor_->column);
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return setView(zoomed(view_, 0.7, centre, heatmap_.zoomsAsOne()));
    case Qt::Key_Minus:
        return setView(zoomed(view_, 1 / 0.7, centre, heatmap_.zoomsAsOne()));
    case Qt::Key_Backspace:
        return undoZoom();
    case Qt::Key_0:
        return resetZoom();
    default:
        QWidget::keyPressEvent(event);
    }
}

} // namespace keepset::ui::plot
