#include "ui/charts/plot_chart.h"

#include "ui/charts/chart_overlay.h"

#include <QAreaSeries>
#include <QFontMetricsF>
#include <QGraphicsLayout>
#include <QGraphicsScene>
#include <QLegend>
#include <QLineSeries>
#include <QPainter>
#include <QPainterPath>
#include <QScatterSeries>

#include <algorithm>
#include <cmath>
#include <utility>

namespace keepset::ui::charts {

namespace {

    QScatterSeries::MarkerShape shapeOf(plot::Marker marker)
    {
        switch (marker) {
        case plot::Marker::square:
            return QScatterSeries::MarkerShapeRectangle;
        case plot::Marker::diamond:
            return QScatterSeries::MarkerShapeRotatedRectangle;
        case plot::Marker::triangle:
            return QScatterSeries::MarkerShapeTriangle;
        case plot::Marker::star:
            return QScatterSeries::MarkerShapeStar;
        case plot::Marker::pentagon:
            return QScatterSeries::MarkerShapePentagon;
        case plot::Marker::circle:
        case plot::Marker::none:
            break;
        }
        return QScatterSeries::MarkerShapeCircle;
    }

    /// `quietly`: what draws the series is not told.
    void setPoints(QXYSeries& series, const QList<QPointF>& points, bool quietly = false)
    {
        const QSignalBlocker quiet(quietly ? &series : nullptr);
        if (series.points() != points)
            series.replace(points);
    }

} // namespace

PlotChart::PlotChart(plot::Style look)
    : look_(std::move(look))
    , x_(new QCategoryAxis(this))
    , y_(new QCategoryAxis(this))
    , overlay_(new ChartOverlay(this))
{
    legend()->hide();
    setBackgroundRoundness(0);
    setMinimumSize(0, 0); // of its own layout it would stay taller than it is asked to be
    layout()->setContentsMargins(0, 0, 0, 0);
    addAxis(x_, Qt::AlignBottom);
    addAxis(y_, Qt::AlignLeft);
    y_->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
    x_->setGridLineVisible(false);
    y_->setLineVisible(false);
    connect(x_, &QCategoryAxis::rangeChanged, this, &PlotChart::updateTicks);
    connect(y_, &QCategoryAxis::rangeChanged, this, &PlotChart::updateTicks);
    connect(this, &QChart::plotAreaChanged, this, &PlotChart::updateTicks);
    connect(this, &QGraphicsWidget::geometryChanged, this, &PlotChart::fit);
    setData({});
    restyle();
    setRange(fullRange(data_));
}

void PlotChart::setData(ChartData data, const std::optional<ChartRange>& range)
{
    const bool same = sameLook(data_, data);
    data_ = std::move(data);
    const bool gone = readout_
        && (readout_->series >= data_.series.size() || readout_->point >= data_.series[readout_->series].points.size());
    if (gone)
        readout_.reset();
    if (!same)
        rebuild();
    // A new range lays all series out. To do that with every one before, and of the old range, took half of the time.
    const ChartRange before = this->range();
    const bool moves = range && !(*range == before);
    refill(moves);
    for (QCategoryAxis* axis : { x_, y_ })
        axis->setVisible(!charts::isEmpty(data_));
    x_->setTitleText(data_.x.title.toHtmlEscaped());
    y_->setTitleText(data_.y.title.toHtmlEscaped());
    if (moves)
        setRange(*range);
    if (moves && before == this->range()) // one that an axis does not take
        layOutSeries();
    updateTicks();
    fit();
}

void PlotChart::layOutSeries()
{
    for (const Drawn& drawn : drawn_) {
        for (QXYSeries* series : std::initializer_list<QXYSeries*> { drawn.line, drawn.marks }) {
            if (series)
                series->replace(series->points());
        }
    }
}

void PlotChart::add(QAbstractSeries* series)
{
    addSeries(series);
    series->attachAxis(x_);
    series->attachAxis(y_);
}

void PlotChart::rebuild()
{
    removeAllSeries();
    drawn_.assign(data_.series.size(), {});
    references_.clear();
    const bool bars = !data_.groups.empty();
    const bool lines = !bars && !data_.scattered;
    for (std::size_t i = 0; i < drawn_.size() && lines; ++i) {
        if (!data_.series[i].run.isEmpty())
            continue;
        auto* band = new QAreaSeries;
        band->setUpperSeries(new QLineSeries(band));
        band->setLowerSeries(new QLineSeries(band));
        add(drawn_[i].band = band);
    }
    for (std::size_t i = 0; i < data_.references.size(); ++i)
        add(references_.emplace_back(new QLineSeries));
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
        if (lines)
            add(drawn_[i].line = new QLineSeries);
        if (data_.series[i].look.marker != plot::Marker::none)
            add(drawn_[i].marks = new QScatterSeries);
    }
    x_->setLabelsPosition(bars ? QCategoryAxis::AxisLabelsPositionCenter : QCategoryAxis::AxisLabelsPositionOnValue);
    x_->setShadesVisible(bars);
    restyle();
}

void PlotChart::refill(bool quietly)
{
    for (std::size_t s = 0; s < drawn_.size(); ++s) {
        QList<QPointF> points;
        QList<QPointF>& upper = drawn_[s].upper;
        QList<QPointF>& lower = drawn_[s].lower;
        upper.clear();
        lower.clear();
        for (std::size_t p = 0; p < data_.series[s].points.size(); ++p) {
            const ChartPoint& point = data_.series[s].points[p];
            const double y = coordinateOf(data_.y, point.y);
            const double low = coordinateOf(data_.y, point.low);
            const double high = coordinateOf(data_.y, point.high);
            if (std::isnan(y))
                continue;
            points.emplace_back(placeOf(data_, { s, p }), y);
            if (std::isnan(low) || std::isnan(high))
                continue;
            upper.emplace_back(points.last().x(), high);
            lower.emplace_back(points.last().x(), low);
        }
        if (drawn_[s].line)
            setPoints(*drawn_[s].line, points, quietly);
        if (drawn_[s].marks)
            setPoints(*drawn_[s].marks, points, quietly);
    }
    updateReferences();
    showState();
}

void PlotChart::updateReferences()
{
    const AxisRange across = range().x;
    for (std::size_t i = 0; i < references_.size(); ++i) {
        const double y = coordinateOf(data_.y, data_.references[i].value);
        setPoints(*references_[i],
            std::isnan(y) ? QList<QPointF>() : QList<QPointF> { { across.low, y }, { across.high, y } });
    }
}

void PlotChart::setLook(const plot::Style& look)
{
    look_ = look;
    restyle();
}

void PlotChart::restyle()
{
    setBackgroundBrush(look_.panel);
    setBackgroundPen(Qt::NoPen);
    QColor shade = look_.line;
    shade.setAlphaF(0.28F);
    for (QCategoryAxis* axis : { x_, y_ }) {
        axis->setLabelsFont(look_.font);
        axis->setTitleFont(look_.font);
        axis->setLabelsColor(look_.muted);
        axis->setTitleBrush(look_.muted);
        axis->setGridLineColor(look_.line);
        axis->setLinePenColor(look_.line);
        axis->setShadesBrush(shade);
        axis->setShadesPen(Qt::NoPen);
    }
    for (std::size_t i = 0; i < drawn_.size(); ++i)
        restyle(i);
    for (std::size_t i = 0; i < references_.size(); ++i) {
        QPen pen(look_.muted, 1.4, data_.references[i].dashed ? Qt::CustomDashLine : Qt::SolidLine, Qt::FlatCap);
        if (data_.references[i].dashed)
            pen.setDashPattern({ 4, 3 });
        references_[i]->setPen(pen);
    }
    sizeMarks();
    fit();
}

/// Beside one another they must not cover their neighbours.
void PlotChart::sizeMarks()
{
    double most = 11;
    if (!data_.groups.empty())
        most = std::max(5.0, (toPixel(1, 0).x() - toPixel(0, 0).x()) / static_cast<double>(drawn_.size() + 1));
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
        const plot::Marker marker = data_.series[i].look.marker;
        const bool small = marker == plot::Marker::circle || marker == plot::Marker::square; // fill their box
        if (drawn_[i].marks)
            drawn_[i].marks->setMarkerSize(std::min(small ? 8.0 : 11.0, most));
    }
}

void PlotChart::restyle(std::size_t series)
{
    const bool dashed = !data_.series[series].run.isEmpty();
    const plot::MethodStyle& method = data_.series[series].look;
    const QColor color = method.on(look_);
    const Drawn& drawn = drawn_[series];
    if (drawn.line) {
        QPen pen(color, 2, dashed ? Qt::CustomDashLine : Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
        if (dashed)
            pen.setDashPattern({ 5, 3 });
        drawn.line->setPen(pen);
    }
    if (drawn.marks) {
        drawn.marks->setMarkerShape(shapeOf(method.marker));
        drawn.marks->setPen(QPen(color, method.hollow ? 1.8 : 1));
        drawn.marks->setBrush(method.hollow ? look_.panel : color);
    }
    if (drawn.band) {
        QColor fill = color;
        fill.setAlphaF(look_.dark ? 0.18F : 0.14F);
        drawn.band->setPen(Qt::NoPen);
        drawn.band->setBrush(fill);
    }
}

ChartRange PlotChart::range() const { return { { x_->min(), x_->max() }, { y_->min(), y_->max() } }; }

void PlotChart::setRange(const ChartRange& range)
{
    if (range == this->range())
        return;
    x_->setRange(range.x.low, range.x.high);
    y_->setRange(range.y.low, range.y.high);
    updateReferences();
    overlay_->update();
}

void PlotChart::setHidden(const std::set<std::string>& keys)
{
    hidden_ = keys;
    if (readout_ && !isShown(readout_->series))
        readout_.reset();
    showState();
    fit();
}

void PlotChart::setHighlighted(const std::string& key)
{
    if (key == highlighted_)
        return;
    highlighted_ = key;
    showState();
}

void PlotChart::setAllBands(bool all)
{
    allBands_ = all;
    showState();
}

void PlotChart::setReadout(std::optional<PointRef> at)
{
    readout_ = at;
    overlay_->update();
}

void PlotChart::paintOnPaper(QPainter& painter, QRectF canvas)
{
    layout()->activate();
    setPlotArea(plotArea()); // what is left out for a while moves nothing
    const auto paint = [&](bool inside) {
        for (QAbstractSeries* each : series())
            each->setVisible(inside && each->isVisible());
        for (QCategoryAxis* axis : { x_, y_ }) {
            axis->setLabelsVisible(!inside);
            axis->setTitleVisible(!inside);
        }
        y_->setGridLineVisible(inside);
        x_->setShadesVisible(inside && !data_.groups.empty());
        setBackgroundVisible(inside);
        overlay_->setVisible(!inside);
        scene()->render(&painter, canvas, rect());
    };
    paint(true);
    QPainterPath around;
    around.addRect(canvas.adjusted(-10000, -10000, 10000, 10000));
    around.addRect(plotArea().translated(canvas.topLeft()).adjusted(-5, -5, 5, 5)); // a mark may stand on its edge
    painter.fillPath(around, look_.panel);
    paint(false);
}

void PlotChart::showState()
{
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
        if (drawn_[i].band)
            showBand(i);
        for (QXYSeries* series : std::initializer_list<QXYSeries*> { drawn_[i].line, drawn_[i].marks }) {
            if (!series)
                continue;
            series->setVisible(isShown(i));
            series->setOpacity(isFaded(i) ? fadedOpacity : 1.0F);
        }
    }
    overlay_->update();
}

/// Its edges are filled while it is shown only: of many methods' bands one or none is.
void PlotChart::showBand(std::size_t series)
{
    const Drawn& drawn = drawn_[series];
    const bool shown = isBandShown(series);
    setPoints(*drawn.band->upperSeries(), shown ? drawn.upper : QList<QPointF>());
    setPoints(*drawn.band->lowerSeries(), shown ? drawn.lower : QList<QPointF>());
    drawn.band->setVisible(shown);
}

void PlotChart::fit()
{
    QFont bold = look_.font;
    bold.setWeight(QFont::DemiBold);
    double width = 0;
    for (std::size_t i = 0; i < data_.series.size(); ++i) {
        if (isShown(i) && !data_.scattered && !data_.series[i].points.empty())
            width = std::max(width, QFontMetricsF(bold).horizontalAdvance(data_.series[i].name));
    }
    width = std::min(width, size().width() * 0.3);
    const auto top = static_cast<int>(warningBox().height()) + 8;
    const QMargins wanted(0, top, width > 0 ? static_cast<int>(std::ceil(width)) + 18 : 12, 0);
    if (margins() != wanted)
        setMargins(wanted);
    overlay_->update();
}

} // namespace keepset::ui::charts
