#include "ui/plot/chart_widget.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace keepset::ui::plot {

namespace {

    constexpr double hoverReach = 40;
    constexpr double smallestBand = 6;

} // namespace

ChartWidget::ChartWidget(QWidget* parent)
    : QWidget(parent)
    , view_(fullView(chart_))
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void ChartWidget::setChart(Chart chart)
{
    const bool wasWhole = history_.empty();
    const bool sameAxes
        = chart.y.scale == chart_.y.scale && chart.y.title == chart_.y.title && chart.x.title == chart_.x.title;
    chart_ = std::move(chart);
    if (wasWhole || !sameAxes) {
        history_.clear();
        view_ = fullView(chart_);
    } else {
        history_.front() = fullView(chart_);
    }
    const bool gone = readout_
        && (readout_->series >= chart_.series.size()
            || readout_->point >= chart_.series[readout_->series].points.size());
    if (gone)
        readout_.reset();
    setAccessibleName(chart_.title);
    setAccessibleDescription(describe(chart_));
    update();
}

void ChartWidget::setView(const ChartView& view)
{
    if (view == view_ || !(view.x.high > view.x.low) || !(view.y.high > view.y.low))
        return;
    history_.push_back(view_);
    changeView(view);
}

void ChartWidget::undoZoom()
{
    if (history_.empty())
        return;
    const ChartView before = history_.back();
    history_.pop_back();
    changeView(before);
}

void ChartWidget::resetZoom()
{
    history_.clear();
    changeView(fullView(chart_));
}

void ChartWidget::changeView(const ChartView& view)
{
    view_ = view;
    update();
    Q_EMIT viewChanged();
}

ChartLayout ChartWidget::currentLayout() const
{
    return layoutChart(chart_, view_, styleFor(palette()), QRectF(rect()).adjusted(0, 2, 0, -2), false);
}

QSize ChartWidget::exportSize() const { return { std::max(width(), 560), std::max(height(), 300) + 34 }; }

void ChartWidget::paintExport(QPainter& painter, QRectF canvas) const
{
    const Style paper = chartStyle(false);
    paintChart(painter, chart_, layoutChart(chart_, view_, paper, canvas.adjusted(12, 10, -12, -8), true), paper);
}

QString ChartWidget::exportName() const
{
    return chart_.title.toLower().replace(QLatin1Char(' '), QLatin1Char('-')).remove(QLatin1Char('/'));
}

void ChartWidget::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const Style look = styleFor(palette());
    const ChartLayout layout = currentLayout();
    paintChart(painter, chart_, layout, look);
    if (isEmpty(chart_))
        return;
    if (readout_ && !band_)
        paintReadout(painter, chart_, layout, look, *readout_);
    if (band_) {
        QColor fill = look.accent;
        fill.setAlphaF(0.12F);
        painter.setPen(QPen(look.accent, 1));
        painter.setBrush(fill);
        painter.drawRect(band_->normalized());
    }
    if (hasFocus()) {
        painter.setPen(QPen(look.accent, 1, Qt::DotLine));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void ChartWidget::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::RightButton)
        undoZoom();
    else if (event->button() == Qt::LeftButton && currentLayout().plot.contains(event->position()))
        band_ = QRectF(event->position(), QSizeF(0, 0));
}

void ChartWidget::mouseMoveEvent(QMouseEvent* event)
{
    if (band_) {
        const QRectF plot = currentLayout().plot;
        band_->setBottomRight({ std::clamp(event->position().x(), plot.left(), plot.right()),
            std::clamp(event->position().y(), plot.top(), plot.bottom()) });
        update();
        return;
    }
    const auto nearest = nearestPoint(chart_, currentLayout(), event->position(), hoverReach);
    if (nearest != readout_) {
        readout_ = nearest;
        update();
    }
}

void ChartWidget::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !band_)
        return;
    const QRectF band = band_->normalized();
    band_.reset();
    update();
    if (band.width() < smallestBand || band.height() < smallestBand)
        return;
    const ChartLayout layout = currentLayout();
    setView({ { layout.x.toValue(band.left()), layout.x.toValue(band.right()) },
        { layout.y.toValue(band.bottom()), layout.y.toValue(band.top()) } });
}

void ChartWidget::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        resetZoom();
}

void ChartWidget::leaveEvent(QEvent*)
{
    if (readout_ && !hasFocus()) {
        readout_.reset();
        update();
    }
}

void ChartWidget::moveReadout(int points, int series)
{
    if (chart_.series.empty())
        return;
    const int count = static_cast<int>(chart_.series.size());
    PointRef next = readout_.value_or(PointRef {});
    if (readout_)
        next.series = static_cast<std::size_t>((static_cast<int>(next.series) + series + count) % count);
    const int last = static_cast<int>(chart_.series[next.series].points.size()) - 1;
    if (last < 0)
        return;
    const int point = static_cast<int>(next.point) + (readout_ ? points : 0);
    next.point = static_cast<std::size_t>(std::clamp(point, 0, last));
    readout_ = next;
    update();
}

void ChartWidget::zoomAround(double factor)
{
    const QPointF centre = currentLayout().plot.center();
    const ChartLayout layout = currentLayout();
    setView({ zoomed(view_.x, chart_.x.scale, factor, layout.x.toValue(centre.x())),
        zoomed(view_.y, chart_.y.scale, factor, layout.y.toValue(centre.y())) });
}

void ChartWidget::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
        return moveReadout(-1, 0);
    case Qt::Key_Right:
        return moveReadout(1, 0);
    case Qt::Key_Up:
        return moveReadout(0, -1);
    case Qt::Key_Down:
        return moveReadout(0, 1);
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomAround(0.7);
    case Qt::Key_Minus:
        return zoomAround(1 / 0.7);
    case Qt::Key_Backspace:
        return undoZoom();
    case Qt::Key_Escape:
    case Qt::Key_0:
        return resetZoom();
    default:
        QWidget::keyPressEvent(event);
    }
}

} // namespace keepset::ui::plot
