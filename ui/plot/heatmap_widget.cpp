#include "ui/plot/heatmap_widget.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    constexpr double smallestBand = 5;
    constexpr std::size_t longestHistory = 100;

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
    if (heatmap.values != heatmap_.values || heatmap.reduction != heatmap_.reduction
        || !(heatmap.scale == heatmap_.scale))
        picture_ = QImage();
    heatmap_ = std::move(heatmap);
    if (!sameSize) {
        history_.clear();
        cursor_.reset();
        view_ = wholeMap(heatmap_.size());
    }
    setAccessibleName(heatmap_.title);
    setAccessibleDescription(heatmap_.values ? heatmap_.subtitle : heatmap_.emptyText);
    update();
}

void HeatmapWidget::setView(const MapView& view)
{
    const MapView next = clamped(view, heatmap_.size());
    if (next == view_)
        return;
    if (history_.size() == longestHistory)
        history_.erase(history_.begin());
    history_.push_back(view_);
    changeView(next);
}

void HeatmapWidget::followColumns(const MapView& view)
{
    MapView next = view_;
    next.columnBegin = view.columnBegin;
    next.columnEnd = view.columnEnd;
    if (!heatmap_.values || next == view_)
        return;
    view_ = clamped(next, heatmap_.size());
    update();
}

void HeatmapWidget::undoZoom()
{
    if (history_.empty())
        return;
    const MapView before = history_.back();
    history_.pop_back();
    changeView(before);
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

HeatmapLayout HeatmapWidget::currentLayout() const
{
    return layoutHeatmap(heatmap_, styleFor(palette()), QRectF(rect()).adjusted(0, 0, 0, -2), false);
}

QSize HeatmapWidget::exportSize() const { return { std::max(width(), 640), std::max(height(), 240) + 34 }; }

void HeatmapWidget::paintExport(QPainter& painter, QRectF canvas) const
{
    const Style paper = chartStyle(false);
    const HeatmapLayout layout = layoutHeatmap(heatmap_, paper, canvas.adjusted(12, 10, -8, -8), true);
    QImage image;
    if (heatmap_.values) {
        const QSize pixels = (layout.map.size() * 2).toSize();
        image = renderMap(heatmap_.values->pyramid, view_, pixels, heatmap_.scale, heatmap_.reduction);
    }
    paintHeatmap(painter, heatmap_, layout, paper, { view_, image });
}

QString HeatmapWidget::exportName() const
{
    QString name = heatmap_.title.toLower();
    return name.replace(QStringLiteral(" × "), QStringLiteral("-"))
        .remove(QLatin1Char(','))
        .replace(QLatin1Char(' '), QLatin1Char('-'));
}

const QImage& HeatmapWidget::picture(const HeatmapLayout& layout)
{
    const QSize pixels = (layout.map.size() * devicePixelRatioF()).toSize();
    if (picture_.size() != pixels || pictureView_ != view_) {
        picture_ = renderMap(heatmap_.values->pyramid, view_, pixels, heatmap_.scale, heatmap_.reduction);
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
    paintHeatmap(painter, heatmap_, layout, look, { view_, heatmap_.values ? picture(layout) : none });
    if (!heatmap_.values)
        return;
    if (cursor_) {
        const QPointF first
            = pixelOf(view_, layout.map, { static_cast<double>(cursor_->column), static_cast<double>(cursor_->row) });
        const QPointF last = pixelOf(
            view_, layout.map, { static_cast<double>(cursor_->column + 1), static_cast<double>(cursor_->row + 1) });
        painter.setPen(QPen(Qt::white, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(first, QPointF(std::max(first.x() + 3, last.x()), last.y())).intersected(layout.map));
    }
    if (band_) {
        painter.setPen(QPen(Qt::white, 1.5));
        painter.setBrush(QColor(255, 255, 255, 50));
        painter.drawRect(band_->normalized());
    }
    if (hasFocus()) {
        painter.setPen(QPen(look.accent, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(layout.map.adjusted(-2, -2, 2, 2));
    }
}

void HeatmapWidget::wheelEvent(QWheelEvent* event)
{
    const QRectF map = currentLayout().map;
    if (!heatmap_.values || !map.contains(event->position())) {
        event->ignore();
        return;
    }
    if (event->modifiers() & Qt::ShiftModifier) {
        setView(panned(view_, QPointF(event->angleDelta().y() + event->angleDelta().x(), 0), map.size()));
    } else {
        const double factor = std::pow(0.8, event->angleDelta().y() / 120.0);
        const bool rowsToo = event->modifiers() & Qt::ControlModifier;
        setView(zoomed(view_, factor, cellPointAt(view_, map, event->position()), rowsToo));
    }
    event->accept();
}

void HeatmapWidget::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::RightButton)
        return undoZoom();
    if (!heatmap_.values || !currentLayout().map.contains(event->position()))
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
        changeView(clamped(panned(view_, event->position() - *grabbed_, map.size()), heatmap_.size()));
        grabbed_ = event->position();
    } else if (band_) {
        band_->setBottomRight({ std::clamp(event->position().x(), map.left(), map.right()),
            std::clamp(event->position().y(), map.top(), map.bottom()) });
        update();
    } else if (heatmap_.values) {
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
    if (const auto cell = cellAt(view_, heatmap_.size(), map, event->position()))
        Q_EMIT cellClicked(cell->row, cell->column);
}

void HeatmapWidget::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        resetZoom();
}

void HeatmapWidget::leaveEvent(QEvent*) { hover(std::nullopt); }

void HeatmapWidget::hover(std::optional<MapCell> cell)
{
    if (cell == cursor_)
        return;
    cursor_ = cell;
    update();
    Q_EMIT cellHovered(cell ? cell->row : -1, cell ? cell->column : -1);
}

void HeatmapWidget::moveCursor(int rows, int columns)
{
    const MapSize size = heatmap_.size();
    if (!heatmap_.values)
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
        return setView(zoomed(view_, 0.7, centre, false));
    case Qt::Key_Minus:
        return setView(zoomed(view_, 1 / 0.7, centre, false));
    case Qt::Key_Backspace:
        return undoZoom();
    case Qt::Key_0:
        return resetZoom();
    default:
        QWidget::keyPressEvent(event);
    }
}

} // namespace keepset::ui::plot
