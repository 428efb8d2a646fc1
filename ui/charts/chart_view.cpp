#include "ui/charts/chart_view.h"

#include <QGraphicsLayout>
#include <QGraphicsScene>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QRubberBand>
#include <QTimer>
#include <QToolButton>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace keepset::ui::charts {

namespace {

    constexpr double hoverReach = 40;
    constexpr int smallestBand = 6;

    /// Whether all of `full` is in `range`, and fills most of it: then nothing need move for it at once.
    bool holdsWell(const ChartRange& range, const ChartRange& full)
    {
        constexpr double most = 0.75;
        return range.x == full.x && range.y.low <= full.y.low && range.y.high >= full.y.high
            && full.y.length() >= most * range.y.length();
    }

    QToolButton* cornerButton(QWidget* parent, const char* name, const QString& text, const QString& what)
    {
        auto* button = new QToolButton(parent);
        button->setObjectName(QLatin1String(name));
        button->setText(text);
        button->setToolTip(what);
        button->setAccessibleName(what);
        button->setProperty("flat", true);
        button->setFocusPolicy(Qt::NoFocus); // Backspace and Esc do the same
        button->hide();
        return button;
    }

} // namespace

ChartView::ChartView(QWidget* parent)
    : QChartView(parent)
    , plot_(new PlotChart(plot::styleFor(palette())))
    , band_(new QRubberBand(QRubberBand::Rectangle, this))
    , back_(cornerButton(this, "zoomBack", tr("Back"), tr("Shows the view before (Backspace)")))
    , whole_(cornerButton(this, "zoomWhole", tr("Whole"), tr("Shows everything (Esc)")))
    , rest_(new QTimer(this))
{
    setChart(plot_);
    setFrameShape(NoFrame);
    setRenderHint(QPainter::Antialiasing);
    viewport()->setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    connect(back_, &QToolButton::clicked, this, &ChartView::undoZoom);
    connect(whole_, &QToolButton::clicked, this, &ChartView::resetZoom);
    rest_->setSingleShot(true);
    rest_->setInterval(100); // ms
    connect(rest_, &QTimer::timeout, this, &ChartView::settle);
}

void ChartView::setData(ChartData data)
{
    const bool sameAxes = data.y.scale == plot_->data().y.scale && data.y.title == plot_->data().y.title
        && data.x.title == plot_->data().x.title && data.groups == plot_->data().groups;
    const ChartRange full = fullRange(data);
    if (history_.empty() && sameAxes && holdsWell(plot_->range(), full)) {
        plot_->setData(std::move(data));
    } else if (history_.empty() || !sameAxes) {
        history_.clear();
        plot_->setData(std::move(data), full);
        changeRange(full);
    } else {
        plot_->setData(std::move(data));
        history_.setWhole(full);
    }
    plot_->layout()->activate(); // now, or it is painted twice
    setAccessibleName(plot_->data().title);
    rest_->start();
}

/// A chart that grows is fitted and put into words when it rests: neither is part of a frame.
void ChartView::settle()
{
    if (history_.empty())
        changeRange(fullRange(data()));
    setAccessibleDescription(describe(data()));
}

void ChartView::setRange(const ChartRange& range, bool notch)
{
    if (range == plot_->range() || !(range.x.length() > 1e-9) || !(range.y.length() > 1e-9) || isEmpty(data()))
        return;
    notch ? history_.pushNotch(plot_->range()) : history_.push(plot_->range());
    changeRange(range);
}

void ChartView::undoZoom()
{
    if (const auto before = history_.back())
        changeRange(*before);
}

void ChartView::resetZoom()
{
    history_.clear();
    changeRange(fullRange(data()));
}

void ChartView::changeRange(const ChartRange& range)
{
    plot_->setRange(range);
    back_->setVisible(isZoomed());
    whole_->setVisible(isZoomed());
}

void ChartView::changeEvent(QEvent* event)
{
    QChartView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        plot_->setLook(plot::styleFor(palette()));
}

void ChartView::resizeEvent(QResizeEvent* event)
{
    QChartView::resizeEvent(event);
    whole_->adjustSize();
    back_->adjustSize();
    whole_->move(width() - whole_->width() - 2, height() - whole_->height() - 2);
    back_->move(whole_->x() - back_->width() - 4, whole_->y());
}

void ChartView::drawForeground(QPainter* painter, const QRectF& rect)
{
    QChartView::drawForeground(painter, rect);
    if (!hasFocus())
        return;
    painter->setPen(QPen(plot_->look().accent, 1, Qt::DotLine));
    painter->setBrush(Qt::NoBrush);
    painter->drawRect(sceneRect().adjusted(0.5, 0.5, -0.5, -0.5));
}

void ChartView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::RightButton)
        undoZoom();
    else if (event->button() == Qt::LeftButton)
        pressed_ = event->position();
}

void ChartView::mouseMoveEvent(QMouseEvent* event)
{
    const QRectF plot = plot_->plotArea();
    if (pressed_ && plot.contains(*pressed_)) {
        const QPointF end(std::clamp(event->position().x(), plot.left(), plot.right()),
            std::clamp(event->position().y(), plot.top(), plot.bottom()));
        band_->setGeometry(QRectF(*pressed_, end).normalized().toRect());
        band_->setVisible(band_->width() >= smallestBand && band_->height() >= smallestBand);
        return;
    }
    readOut(plot_->nearestPoint(event->position(), hoverReach));
}

void ChartView::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !pressed_)
        return;
    pressed_.reset();
    if (!band_->isHidden()) {
        band_->hide();
        const QPointF low = plot_->toCoordinates(QRectF(band_->geometry()).bottomLeft());
        const QPointF high = plot_->toCoordinates(QRectF(band_->geometry()).topRight());
        setRange({ { low.x(), high.x() }, { low.y(), high.y() } });
        return;
    }
    click(event->position(), event->modifiers() & Qt::ControlModifier);
}

void ChartView::click(QPointF pixel, bool alone)
{
    for (const PlotChart::Name& name : plot_->names()) {
        if (name.box.contains(pixel))
            return nameClicked(QString::fromStdString(data().series[name.series].key), alone);
    }
    if (const auto at = plot_->nearestPoint(pixel, hoverReach / 2)) {
        const Series& series = data().series[at->series];
        Q_EMIT pointClicked(QString::fromStdString(series.key), series.points[at->point].x);
        Q_EMIT pointChosen(*at);
    }
}

void ChartView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton && plot_->plotArea().contains(event->position()))
        resetZoom();
}

void ChartView::wheelEvent(QWheelEvent* event)
{
    if (isEmpty(data()) || !plot_->plotArea().contains(event->position()))
        return event->ignore();
    // Some desktops turn the wheel sideways where Shift is held.
    const double notches = (event->angleDelta().y() + event->angleDelta().x()) / 120.0;
    zoomAround(std::pow(0.8, notches), event->position(), !(event->modifiers() & Qt::ShiftModifier), true);
    event->accept();
}

void ChartView::leaveEvent(QEvent*)
{
    if (!hasFocus())
        readOut(std::nullopt);
}

void ChartView::readOut(std::optional<PointRef> at)
{
    if (at == plot_->readout())
        return;
    plot_->setReadout(at);
    Q_EMIT pointHovered(at ? QString::fromStdString(data().series[at->series].key) : QString());
}

void ChartView::moveReadout(int points, int series)
{
    const int count = static_cast<int>(data().series.size());
    PointRef next = plot_->readout().value_or(PointRef {});
    for (int tries = 0; tries < count; ++tries) {
        if (plot_->readout() || tries > 0)
            next.series = static_cast<std::size_t>(
                (static_cast<int>(next.series) + (series == 0 && tries > 0 ? 1 : series) + count) % count);
        const int last = static_cast<int>(data().series[next.series].points.size()) - 1;
        if (last < 0 || !plot_->isShown(next.series))
            continue;
        const int point = static_cast<int>(next.point) + (plot_->readout() ? points : 0);
        next.point = static_cast<std::size_t>(std::clamp(point, 0, last));
        return readOut(next);
    }
}

void ChartView::zoomAround(double factor, QPointF pixel, bool both, bool notch)
{
    const QPointF centre = plot_->toCoordinates(pixel);
    ChartRange range = plot_->range();
    range.x = zoomed(range.x, factor, centre.x());
    if (both)
        range.y = zoomed(range.y, factor, centre.y());
    if (factor > 1 && range.x.length() >= fullRange(data()).x.length())
        return resetZoom(); // there is nothing beyond the whole
    setRange(range, notch);
}

void ChartView::keyPressEvent(QKeyEvent* event)
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
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (plot_->readout())
            Q_EMIT pointChosen(*plot_->readout());
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomAround(0.7, plot_->plotArea().center(), true);
    case Qt::Key_Minus:
        return zoomAround(1 / 0.7, plot_->plotArea().center(), true);
    case Qt::Key_Backspace:
        return undoZoom();
    case Qt::Key_Escape:
    case Qt::Key_0:
        return resetZoom();
    default:
        event->ignore(); // for those around it
    }
}

QSize ChartView::exportSize() const
{
    constexpr int nameHeight = 16; // every line needs its name there
    const int names = data().scattered ? 0 : nameHeight * static_cast<int>(data().series.size()) + 100;
    return { std::max(width(), 560), std::max({ height(), 300, names }) };
}

void ChartView::paintExport(QPainter& painter, QRectF canvas) const
{
    QGraphicsScene scene;
    PlotChart paper(plot::chartStyle(false)); // the same chart on paper
    scene.addItem(&paper);
    paper.setHidden(plot_->hidden());
    paper.setAllBands(plot_->allBands());
    paper.setData(data());
    paper.resize(canvas.size());
    paper.setRange(plot_->range());
    paper.paintOnPaper(painter, canvas);
}

} // namespace keepset::ui::charts
