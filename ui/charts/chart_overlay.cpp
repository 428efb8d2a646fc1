#include "ui/charts/chart_overlay.h"

#include "ui/plot/readout_box.h"

#include <QAreaSeries>
#include <QCoreApplication>
#include <QFontMetricsF>
#include <QLineSeries>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace keepset::ui::charts {

namespace {

    constexpr double widestSerif = 3.5; ///< px to each side of a bar
    constexpr double namesGap = 14; ///< px between plot and names
    constexpr std::size_t fewMethods = 4; ///< that need not step back

    QFont boldOf(const plot::Style& look)
    {
        QFont bold = look.font;
        bold.setWeight(QFont::DemiBold);
        return bold;
    }

    void text(QPainter& painter, QRectF box, int flags, const QString& words, const QColor& color)
    {
        painter.setPen(color);
        painter.drawText(box, flags, words);
    }

    /// What the shown series have at the x of a point, from the highest down: those nearest to it, where there is room
    /// for `most` only.
    std::vector<PointRef> rowsAt(const PlotChart& chart, PointRef at, std::size_t most)
    {
        const auto& series = chart.data().series;
        const auto value = [&](PointRef ref) { return series[ref.series].points[ref.point].y; };
        std::vector<PointRef> rows;
        for (std::size_t s = 0; s < series.size(); ++s) {
            for (std::size_t p = 0; p < series[s].points.size(); ++p) {
                if (std::abs(series[s].points[p].x - series[at.series].points[at.point].x) < 1e-9
                    && chart.isDrawn({ s, p }))
                    rows.push_back({ s, p });
            }
        }
        std::ranges::stable_sort(rows, {}, [&](PointRef ref) { return std::abs(value(ref) - value(at)); });
        rows.resize(std::min(rows.size(), std::max<std::size_t>(most, 1)));
        std::ranges::stable_sort(rows, std::greater {}, value);
        return rows;
    }

    QString valueWords(const ChartData& data, PointRef at)
    {
        const ChartPoint& point = data.series[at.series].points[at.point];
        QString words = valueText(point.y, data.y.format);
        if (std::isfinite(point.low) && std::isfinite(point.high))
            words += QStringLiteral("   %1 … %2")
                         .arg(valueText(point.low, data.y.format), valueText(point.high, data.y.format));
        return words;
    }

} // namespace

ChartOverlay::ChartOverlay(PlotChart* chart)
    : QGraphicsItem(chart)
    , chart_(chart)
{
    setZValue(1000);
}

void ChartOverlay::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*)
{
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setFont(chart_->look().font);
    paintWarning(*painter);
    if (isEmpty(chart_->data())) {
        text(*painter, chart_->rect().adjusted(24, 0, -24, 0), Qt::AlignCenter | Qt::TextWordWrap,
            chart_->data().emptyText, chart_->look().muted);
        return;
    }
    paintReferences(*painter);
    paintBars(*painter);
    paintFaults(*painter);
    paintNames(*painter);
    paintChosen(*painter);
    if (chart_->readout() && chart_->isDrawn(*chart_->readout()))
        paintReadout(*painter);
}

void ChartOverlay::paintWarning(QPainter& painter) const
{
    const QRectF box = chart_->warningBox();
    if (box.isEmpty())
        return;
    const plot::Style& look = chart_->look();
    QColor ground = look.bad;
    ground.setAlphaF(0.12F);
    painter.setPen(QPen(look.bad, 1));
    painter.setBrush(ground);
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    text(painter, box.adjusted(10, 6, 0, 0), Qt::AlignLeft | Qt::AlignTop, QStringLiteral("✕"), look.bad);
    text(painter, box.adjusted(28, 6, -12, -4), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, chart_->data().warning,
        look.ink);
}

void ChartOverlay::paintReferences(QPainter& painter) const
{
    const QRectF plot = chart_->plotArea();
    const QFontMetricsF metrics(chart_->look().font);
    for (const ReferenceLine& line : chart_->data().references) {
        const double y = chart_->toPixel(0, coordinateOf(chart_->data().y, line.value)).y();
        if (line.text.isEmpty() || !(y >= plot.top() && y <= plot.bottom()))
            continue;
        const double width = metrics.horizontalAdvance(line.text) + 8;
        const bool below = y + metrics.height() + 2 < plot.bottom() + 6;
        const QRectF box(plot.right() - width - 4, below ? y + 2 : y - metrics.height() - 2, width, metrics.height());
        text(painter, box, Qt::AlignRight | Qt::AlignVCenter, line.text, chart_->look().muted);
    }
}

void ChartOverlay::paintBars(QPainter& painter) const
{
    const QRectF plot = chart_->plotArea();
    painter.setBrush(Qt::NoBrush);
    for (std::size_t s = 0; s < chart_->data().series.size(); ++s) {
        const Series& series = chart_->data().series[s];
        for (std::size_t p = 0; p < series.points.size(); ++p) {
            const QRectF bar = chart_->barOf({ s, p });
            const double x = bar.center().x();
            const double top = std::max(bar.top(), plot.top());
            const double bottom = std::min(bar.bottom(), plot.bottom());
            if (bar.width() <= 0 || x < plot.left() || x > plot.right() || top > bottom)
                continue;
            QColor color = series.look.on(chart_->look());
            color.setAlphaF(chart_->isFaded(s) ? fadedOpacity : 1.0F);
            painter.setPen(QPen(color, 2, Qt::SolidLine, Qt::FlatCap));
            painter.drawLine(QPointF(x, top), QPointF(x, bottom));
            if (top == bar.top())
                painter.drawLine(bar.topLeft(), bar.topRight());
            if (bottom == bar.bottom())
                painter.drawLine(bar.bottomLeft(), bar.bottomRight());
        }
    }
}

void ChartOverlay::paintFaults(QPainter& painter) const
{
    const QColor color = chart_->look().bad;
    const QRectF plot = chart_->plotArea().adjusted(-2, -2, 2, 2);
    const double height = QFontMetricsF(chart_->look().font).height();
    std::vector<QRectF> taken; // by words
    for (const FaultMark& fault : chart_->data().faults) {
        const PointRef at { fault.series, fault.point };
        const QPointF centre = chart_->positionOf(at);
        if (!chart_->isDrawn(at) || !plot.contains(centre))
            continue;
        painter.setPen(QPen(color, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(centre, 9, 9);
        const double width = QFontMetricsF(chart_->look().font).horizontalAdvance(fault.text) + 2;
        QRectF box(centre.x() + 13, centre.y() + 4, width, height);
        if (box.right() > plot.right())
            box.moveRight(centre.x() - 13);
        for (const QRectF& other : taken) {
            if (box.intersects(other))
                box.moveTop(other.bottom());
        }
        text(painter, box, Qt::AlignLeft | Qt::AlignVCenter, fault.text, color);
        taken.push_back(box);
    }
}

void ChartOverlay::paintNames(QPainter& painter) const
{
    const QFont bold = boldOf(chart_->look());
    painter.setFont(bold);
    for (const PlotChart::Name& name : chart_->names()) {
        const Series& series = chart_->data().series[name.series];
        QColor color = series.look.on(chart_->look());
        if (std::abs(name.box.center().y() - name.end.y()) > 4 || name.box.left() - name.end.x() > 34) {
            color.setAlphaF(0.5F);
            painter.setPen(QPen(color, 1));
            painter.drawLine(name.end + QPointF(6, 0), QPointF(name.box.left() - 3, name.box.center().y()));
            color.setAlphaF(1);
        }
        text(painter, name.box, Qt::AlignLeft | Qt::AlignVCenter,
            QFontMetricsF(bold).elidedText(series.name, Qt::ElideRight, name.box.width()), color);
    }
    painter.setFont(chart_->look().font);
}

void ChartOverlay::paintChosen(QPainter& painter) const
{
    const QRectF plot = chart_->plotArea().adjusted(-3, -3, 3, 3);
    painter.setBrush(Qt::NoBrush);
    for (const PointRef at : chart_->data().chosen) {
        const QPointF point = chart_->positionOf(at);
        if (!chart_->isDrawn(at) || !plot.contains(point))
            continue;
        painter.setPen(QPen(chart_->look().panel, 4));
        painter.drawEllipse(point, 7.5, 7.5);
        painter.setPen(QPen(chart_->look().accent, 2.2));
        painter.drawEllipse(point, 7.5, 7.5);
    }
}

void ChartOverlay::paintReadout(QPainter& painter) const
{
    const plot::Style& look = chart_->look();
    const ChartData& data = chart_->data();
    const PointRef at = *chart_->readout();
    if (data.tell) {
        const QPointF point = chart_->positionOf(at);
        painter.setPen(QPen(look.ink, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(point, 6, 6);
        return plot::paintReadoutLines(painter, data.tell(at), look, point, chart_->rect());
    }
    const QFont bold = boldOf(look);
    const QFontMetricsF metrics(bold);
    const double rowHeight = metrics.height() + 3;
    const auto room = static_cast<int>((chart_->size().height() - 20) / rowHeight) - 1;
    const std::vector<PointRef> rows = rowsAt(*chart_, at, static_cast<std::size_t>(std::max(room, 1)));
    const double x = data.series[at.series].points[at.point].x;
    const QString heading
        = QStringLiteral("%1  %2").arg(data.x.title.section(QLatin1Char(' '), 0, 0), valueText(x, data.x.format));
    double width = metrics.horizontalAdvance(heading);
    for (const PointRef row : rows)
        width = std::max(width,
            metrics.horizontalAdvance(data.series[row.series].name + QStringLiteral("    ") + valueWords(data, row))
                + 16);
    const QPointF point = chart_->positionOf(at);
    painter.setPen(QPen(look.muted, 1, Qt::DotLine));
    painter.drawLine(QPointF(point.x(), chart_->plotArea().top()), QPointF(point.x(), chart_->plotArea().bottom()));
    painter.setPen(QPen(look.ink, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(point, 7, 7);
    const QRectF box = plot::readoutBox(
        { width + 20, rowHeight * static_cast<double>(rows.size() + 1) + 12 }, point, chart_->rect());
    plot::paintReadoutFrame(painter, look, box);
    QRectF line(box.left() + 10, box.top() + 6, box.width() - 20, rowHeight);
    painter.setFont(bold);
    text(painter, line, Qt::AlignLeft | Qt::AlignVCenter, heading, look.ink);
    for (const PointRef row : rows) {
        line.translate(0, rowHeight);
        const bool chosen = row.series == at.series;
        painter.setFont(chosen ? bold : look.font);
        plot::drawMarker(painter, { line.left() + 4, line.center().y() }, data.series[row.series].look, look, 7);
        text(painter, line.adjusted(16, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, data.series[row.series].name,
            look.ink);
        text(painter, line, Qt::AlignRight | Qt::AlignVCenter, valueWords(data, row), chosen ? look.ink : look.muted);
    }
}

// What is shown and where it stands, for the overlay and for those who point at them.

bool PlotChart::isBandShown(std::size_t series) const
{
    std::size_t bands = 0;
    for (std::size_t i = 0; i < drawn_.size(); ++i)
        bands += drawn_[i].band && isShown(i) ? 1 : 0;
    const QAreaSeries* band = drawn_[series].band;
    return band && isShown(series) && drawn_[series].upper.size() > 1
        && (allBands_ || bands == 1 || data_.series[series].key == highlighted_);
}

bool PlotChart::isFaded(std::size_t series) const
{
    return drawn_.size() > fewMethods && data_.series[series].key != highlighted_
        && std::ranges::find(data_.series, highlighted_, &Series::key) != data_.series.end();
}

bool PlotChart::isDrawn(PointRef at) const
{
    return isShown(at.series) && std::isfinite(coordinateOf(data_.y, data_.series[at.series].points[at.point].y));
}

QPointF PlotChart::toPixel(double x, double y) const
{
    const QRectF plot = plotArea();
    const ChartRange seen = range();
    return { plot.left() + (x - seen.x.low) / seen.x.length() * plot.width(),
        plot.bottom() - (y - seen.y.low) / seen.y.length() * plot.height() };
}

QPointF PlotChart::toCoordinates(QPointF pixel) const
{
    const QRectF plot = plotArea();
    const ChartRange seen = range();
    return { seen.x.low + (pixel.x() - plot.left()) / plot.width() * seen.x.length(),
        seen.y.low + (plot.bottom() - pixel.y()) / plot.height() * seen.y.length() };
}

QPointF PlotChart::positionOf(PointRef at) const
{
    return toPixel(placeOf(data_, at), coordinateOf(data_.y, data_.series[at.series].points[at.point].y));
}

QRectF PlotChart::barOf(PointRef at) const
{
    const ChartPoint& point = data_.series[at.series].points[at.point];
    if (data_.groups.empty() || !isDrawn(at) || !std::isfinite(point.low) || !std::isfinite(point.high))
        return {};
    const double place = placeOf(data_, at);
    const double slot = toPixel(1, 0).x() - toPixel(0, 0).x();
    const double serif = std::min(widestSerif, 0.35 * slot / static_cast<double>(data_.series.size() + 1));
    const QPointF top = toPixel(place, coordinateOf(data_.y, point.high));
    const QPointF bottom = toPixel(place, coordinateOf(data_.y, point.low));
    return { top - QPointF(serif, 0), bottom + QPointF(serif, 0) };
}

std::optional<PointRef> PlotChart::nearestPoint(QPointF pixel, double reach) const
{
    std::optional<PointRef> best;
    const QRectF visible = plotArea().adjusted(-3, -3, 3, 3);
    for (std::size_t s = 0; s < data_.series.size(); ++s) {
        for (std::size_t p = 0; p < data_.series[s].points.size(); ++p) {
            if (!isDrawn({ s, p }))
                continue;
            const QPointF at = positionOf({ s, p });
            const double distance = std::hypot(at.x() - pixel.x(), at.y() - pixel.y());
            if (visible.contains(at) && distance < reach) {
                reach = distance;
                best = PointRef { s, p };
            }
        }
    }
    return best;
}

std::vector<PlotChart::Name> PlotChart::namesThatFit(std::size_t most) const
{
    const QRectF visible = plotArea().adjusted(-2, -2, 8, 2);
    std::vector<Name> names;
    for (std::size_t s = 0; s < data_.series.size() && !data_.scattered; ++s) {
        std::size_t last = data_.series[s].points.size();
        while (last > 0 && !isDrawn({ s, last - 1 }))
            --last;
        if (last == 0 || !visible.contains(positionOf({ s, last - 1 })))
            continue;
        names.push_back({ s, positionOf({ s, last - 1 }), {} });
    }
    std::stable_partition(
        names.begin(), names.end(), [this](const Name& name) { return data_.series[name.series].key == highlighted_; });
    names.resize(std::min(names.size(), most));
    return names;
}

std::vector<PlotChart::Name> PlotChart::names() const
{
    const QRectF plot = plotArea();
    const double height = QFontMetricsF(boldOf(look_)).height() - 1;
    std::vector<Name> names = namesThatFit(static_cast<std::size_t>(std::max(0.0, (plot.height() + 16) / height)));
    std::vector<double> wanted;
    wanted.reserve(names.size());
    for (const Name& name : names)
        wanted.push_back(name.end.y());
    const auto centres = spreadLabels(wanted, height, plot.top() - 8, plot.bottom() + 8);
    const double left = plot.right() + namesGap;
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i].box = QRectF(left, centres[i] - height / 2, size().width() - left, height);
    return names;
}

QRectF PlotChart::warningBox() const
{
    if (data_.warning.isEmpty())
        return {};
    const QRectF room(0, 0, size().width() - 40, 1000);
    const double height = QFontMetricsF(look_.font).boundingRect(room, Qt::TextWordWrap, data_.warning).height() + 12;
    return { 0, 0, size().width(), height };
}

} // namespace keepset::ui::charts
