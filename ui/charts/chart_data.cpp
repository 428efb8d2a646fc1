#include "ui/charts/chart_data.h"

#include "ui/csv.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <cmath>

namespace keepset::ui::charts {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui::charts", text); }

    /// Ends moved outwards to a grid of about a twentieth of the range, so that axes rest while a running sweep moves
    /// points a little.
    AxisRange settled(AxisRange range)
    {
        const double step = std::exp2(std::floor(std::log2(range.length() / 16)));
        return { std::floor(range.low / step) * step, std::ceil(range.high / step) * step };
    }

    AxisRange yRange(const ChartData& data)
    {
        std::vector<double> points;
        std::vector<double> all;
        for (const Series& series : data.series) {
            for (const ChartPoint& point : series.points) {
                points.push_back(coordinateOf(data.y, point.y));
                all.insert(all.end(), { coordinateOf(data.y, point.low), coordinateOf(data.y, point.high) });
            }
        }
        for (const ReferenceLine& line : data.references)
            points.push_back(coordinateOf(data.y, line.value));
        all.insert(all.end(), points.begin(), points.end());
        const AxisRange whole = rangeOf(all);
        if (!data.groups.empty())
            return settled(padded(whole, 0.05));
        // A wide band must not press the lines together: it may add a sixth of their height, and is cut there.
        const AxisRange roomy = padded(rangeOf(points), 1.0 / 6);
        AxisRange range = padded({ std::max(whole.low, roomy.low), std::min(whole.high, roomy.high) }, 0.03);
        if (!data.references.empty()) // curves rise from the dense line, so its name stands under it
            range.low = padded(range, 0.09).low;
        return settled(range);
    }

} // namespace

double coordinateOf(const Axis& axis, double value)
{
    if (axis.scale == AxisScale::log)
        value = value > 0 ? std::log10(value) : std::numeric_limits<double>::quiet_NaN();
    return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

double placeOf(const ChartData& data, PointRef at)
{
    const double x = data.series[at.series].points[at.point].x;
    if (data.groups.empty())
        return coordinateOf(data.x, x);
    const auto group = std::ranges::find_if(data.groups, [x](double g) { return std::abs(g - x) < 1e-9; });
    return static_cast<double>(group - data.groups.begin())
        + static_cast<double>(at.series + 1) / static_cast<double>(data.series.size() + 1);
}

bool sameLook(const ChartData& a, const ChartData& b)
{
    return a.groups.empty() == b.groups.empty() && a.scattered == b.scattered
        && a.references.size() == b.references.size()
        && std::ranges::equal(a.series, b.series, [](const Series& left, const Series& right) {
               return left.key == right.key && left.run == right.run && left.look == right.look;
           });
}

ChartRange fullRange(const ChartData& data)
{
    if (!data.groups.empty())
        return { { 0, static_cast<double>(data.groups.size()) }, yRange(data) };
    std::vector<double> places;
    for (std::size_t s = 0; s < data.series.size(); ++s) {
        for (std::size_t p = 0; p < data.series[s].points.size(); ++p)
            places.push_back(placeOf(data, { s, p }));
    }
    return { padded(rangeOf(places), 0.015), yRange(data) };
}

bool isEmpty(const ChartData& data)
{
    return std::ranges::none_of(data.series, [&data](const Series& series) {
        return std::ranges::any_of(
            series.points, [&data](const ChartPoint& point) { return std::isfinite(coordinateOf(data.y, point.y)); });
    });
}

QString describe(const ChartData& data)
{
    if (isEmpty(data))
        return data.emptyText;
    QStringList sentences;
    if (!data.warning.isEmpty())
        sentences << data.warning;
    sentences << tr("%1 against %2.").arg(data.y.title, data.x.title);
    if (data.scattered) // too many to be listed: they are read out one by one
        return sentences.join(QLatin1Char(' '));
    for (const Series& series : data.series) {
        QStringList values;
        for (const ChartPoint& point : series.points)
            values << tr("%1 at %2").arg(valueText(point.y, data.y.format), valueText(point.x, data.x.format));
        sentences << series.name + QStringLiteral(": ") + values.join(QStringLiteral(", ")) + QLatin1Char('.');
    }
    for (const FaultMark& fault : data.faults) {
        if (!fault.text.isEmpty())
            sentences << tr("%1 at %2: %3.")
                             .arg(data.series[fault.series].name,
                                 valueText(data.series[fault.series].points[fault.point].x, data.x.format), fault.text);
    }
    for (const ReferenceLine& line : data.references) {
        if (!line.text.isEmpty())
            sentences << line.text + QLatin1Char('.');
    }
    return sentences.join(QLatin1Char(' '));
}

QString chartCsv(const ChartData& data)
{
    const bool runs = std::ranges::any_of(data.series, [](const Series& series) { return !series.run.isEmpty(); });
    QString csv;
    const auto add = [&](const QString& method, const QString& run, QStringList numbers) {
        QStringList fields { csvField(method) };
        if (runs)
            fields << csvField(run);
        if (data.intervals.isEmpty())
            numbers.resize(2);
        csv += (fields + numbers).join(QLatin1Char(',')) + QStringLiteral("\r\n");
    };
    add(data.keys, QStringLiteral("run"),
        { csvField(data.x.column), csvField(data.y.column), csvField(QStringLiteral("ci_low_") + data.intervals),
            csvField(QStringLiteral("ci_high_") + data.intervals) });
    for (const Series& series : data.series) {
        for (const ChartPoint& point : series.points)
            add(QString::fromStdString(series.key), series.run,
                { csvNumber(point.x), csvNumber(point.y), csvNumber(point.low), csvNumber(point.high) });
    }
    for (const ReferenceLine& line : data.references)
        add(QString::fromStdString(line.key), {}, { csvNumber(0.0), csvNumber(line.value), {}, {} });
    return csv;
}

} // namespace keepset::ui::charts
