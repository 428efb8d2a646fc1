#include "ui/plot/chart.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    constexpr double barGap = 9; ///< pixels between error bars of neighbours

    bool drawable(double value, AxisScale scale)
    {
        return std::isfinite(value) && (scale == AxisScale::linear || value > 0);
    }

    AxisRange yRange(const Chart& chart)
    {
        std::vector<double> points;
        std::vector<double> intervals;
        bool bars = false;
        for (const Series& series : chart.series) {
            bars = bars || series.errorBars;
            for (const ChartPoint& point : series.points) {
                points.push_back(point.y);
                intervals.insert(intervals.end(), { point.low, point.high });
            }
        }
        for (const ReferenceLine& line : chart.references)
            points.push_back(line.value);
        const AxisRange core = rangeOf(points, chart.y.scale);
        intervals.insert(intervals.end(), points.begin(), points.end());
        const AxisRange all = rangeOf(intervals, chart.y.scale);
        if (bars || chart.series.empty())
            return padded(all, chart.y.scale, 0.06);
        // A wide band must not press the lines together: it may add a sixth of their height, and is cut there.
        const AxisRange roomy = padded(core, chart.y.scale, 1.0 / 6);
        AxisRange range = padded({ std::max(all.low, roomy.low), std::min(all.high, roomy.high) }, chart.y.scale, 0.03);
        // Curves rise from the dense line, so its name stands under it and needs room there.
        const bool named
            = std::ranges::any_of(chart.references, [](const ReferenceLine& line) { return !line.text.isEmpty(); });
        if (named)
            range.low = padded(range, chart.y.scale, 0.09).low;
        return range;
    }

    double widest(const std::vector<QString>& texts, const QFontMetricsF& metrics)
    {
        double width = 0;
        for (const QString& text : texts)
            width = std::max(width, metrics.horizontalAdvance(text));
        return width;
    }

    QString csvField(const QString& text)
    {
        if (!text.contains(QLatin1Char(',')) && !text.contains(QLatin1Char('"')) && !text.contains(QLatin1Char('\n')))
            return text;
        QString quoted = text;
        quoted.replace(QLatin1String("\""), QLatin1String("\"\""));
        return QLatin1Char('"') + quoted + QLatin1Char('"');
    }

    QString csvNumber(double value) { return std::isfinite(value) ? QString::number(value, 'g', 17) : QString(); }

} // namespace

ChartView fullView(const Chart& chart)
{
    std::vector<double> positions = chart.x.ticks;
    for (const Series& series : chart.series) {
        for (const ChartPoint& point : series.points)
            positions.push_back(point.x);
    }
    ChartView view;
    const bool bars
        = std::any_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.errorBars; });
    view.x = padded(rangeOf(positions, chart.x.scale), chart.x.scale, bars ? 0.06 : 0.015);
    view.y = yRange(chart);
    return view;
}

ChartLayout layoutChart(const Chart& chart, const ChartView& view, const Style& style, QRectF canvas, bool heading)
{
    QFont bold = style.font;
    bold.setWeight(QFont::DemiBold);
    const QFontMetricsF metrics(style.font);
    const QFontMetricsF boldMetrics(bold);
    ChartLayout layout;
    layout.canvas = canvas;
    layout.headingHeight = heading ? 34 : 0;
    double top = canvas.top() + layout.headingHeight + 8;
    if (!chart.warning.isEmpty()) {
        const QRectF room(canvas.left() + 28, 0, canvas.width() - 40, 1000);
        const double height = metrics.boundingRect(room, Qt::TextWordWrap, chart.warning).height() + 12;
        layout.warning = QRectF(canvas.left(), canvas.top() + layout.headingHeight, canvas.width(), height);
        top += height + 6;
    }
    const double bottom = canvas.bottom() - metrics.height() * 2 - 18;
    const int rows = std::clamp(static_cast<int>((bottom - top) / 38), 2, 9);
    const auto ticks = chart.y.ticks.empty() ? ticksFor(view.y, chart.y.scale, rows) : chart.y.ticks;
    const double left = canvas.left() + metrics.height() + 14 + widest(tickLabels(ticks, chart.y.format), metrics);
    std::vector<QString> names;
    for (const Series& series : chart.series)
        names.push_back(series.points.empty() ? QString() : series.name);
    const double nameWidth = std::min(widest(names, boldMetrics), canvas.width() * 0.3);
    const double right = canvas.right() - (nameWidth > 0 ? nameWidth + 18 : 12);
    layout.plot = QRectF(QPointF(left, top), QPointF(std::max(right, left + 20), std::max(bottom, top + 20)));
    layout.x = { view.x, chart.x.scale, layout.plot.left(), layout.plot.right() };
    layout.y = { view.y, chart.y.scale, layout.plot.bottom(), layout.plot.top() };
    return layout;
}

QPointF positionOf(const Chart& chart, const ChartLayout& layout, PointRef at)
{
    const Series& series = chart.series[at.series];
    const ChartPoint& point = series.points[at.point];
    double shift = 0;
    if (series.errorBars) {
        const auto count = static_cast<double>(
            std::count_if(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.errorBars; }));
        const auto before = static_cast<double>(
            std::count_if(chart.series.begin(), chart.series.begin() + static_cast<std::ptrdiff_t>(at.series),
                [](const Series& s) { return s.errorBars; }));
        shift = (before - (count - 1) / 2) * barGap;
    }
    return { layout.x.toPixel(point.x) + shift, layout.y.toPixel(point.y) };
}

std::optional<PointRef> nearestPoint(const Chart& chart, const ChartLayout& layout, QPointF pixel, double reach)
{
    std::optional<PointRef> best;
    double closest = reach;
    const QRectF visible = layout.plot.adjusted(-3, -3, 3, 3);
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
        for (std::size_t p = 0; p < chart.series[s].points.size(); ++p) {
            if (!drawable(chart.series[s].points[p].y, chart.y.scale))
                continue;
            const QPointF at = positionOf(chart, layout, { s, p });
            const double distance = std::hypot(at.x() - pixel.x(), at.y() - pixel.y());
            if (visible.contains(at) && distance < closest) {
                closest = distance;
                best = PointRef { s, p };
            }
        }
    }
    return best;
}

bool isEmpty(const Chart& chart)
{
    return std::all_of(chart.series.begin(), chart.series.end(), [&chart](const Series& series) {
        return std::none_of(series.points.begin(), series.points.end(),
            [&chart](const ChartPoint& point) { return drawable(point.y, chart.y.scale); });
    });
}

QString valueText(double value, NumberFormat format)
{
    if (!std::isfinite(value))
        return QStringLiteral("–");
    if (format == NumberFormat::percent)
        return QString::number(std::round(value * 1e4) / 100) + QLatin1Char('%');
    const double size = std::abs(value);
    QString text;
    if (size != 0 && (size >= 1e7 || size < 1e-4))
        text = QString::number(value, 'g', 4);
    else if (format == NumberFormat::signedPlain)
        text = QLocale(QLocale::English).toString(value, 'f', 4);
    else
        text = QLocale(QLocale::English)
                   .toString(
                       value, 'f', size >= 1000 ? 0 : (size >= 100 ? 1 : (size >= 10 ? 2 : (size >= 0.1 ? 3 : 4))));
    if (format == NumberFormat::signedPlain && value > 0)
        text.prepend(QLatin1Char('+'));
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

QString describe(const Chart& chart)
{
    if (isEmpty(chart))
        return chart.emptyText;
    const auto tr = [](const char* text) { return QCoreApplication::translate("Chart", text); };
    QString words;
    if (!chart.warning.isEmpty())
        words += chart.warning + QLatin1Char(' ');
    words += tr("%1 against %2.").arg(chart.y.title, chart.x.title);
    for (const Series& series : chart.series) {
        QStringList values;
        for (const ChartPoint& point : series.points)
            values << tr("%1 at %2").arg(valueText(point.y, chart.y.format), valueText(point.x, chart.x.format));
        words += QLatin1Char(' ') + series.name + QStringLiteral(": ") + values.join(QStringLiteral(", "))
            + QLatin1Char('.');
    }
    for (const ReferenceLine& line : chart.references) {
        if (!line.text.isEmpty())
            words += QLatin1Char(' ') + line.text + QLatin1Char('.');
    }
    return words;
}

QString chartCsv(const Chart& chart)
{
    QString csv = QStringLiteral("series,%1,%2,low,high\r\n").arg(csvField(chart.x.title), csvField(chart.y.title));
    for (const Series& series : chart.series) {
        for (const ChartPoint& point : series.points)
            csv += QStringList { csvField(series.name), csvNumber(point.x), csvNumber(point.y), csvNumber(point.low),
                csvNumber(point.high) }
                       .join(QLatin1Char(','))
                + QStringLiteral("\r\n");
    }
    for (const ReferenceLine& line : chart.references) {
        if (!line.text.isEmpty())
            csv += QStringList { csvField(line.text), QString(), csvNumber(line.value), QString(), QString() }.join(
                       QLatin1Char(','))
                + QStringLiteral("\r\n");
    }
    return csv;
}

} // namespace keepset::ui::plot
