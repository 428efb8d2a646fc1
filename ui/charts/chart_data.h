#pragma once

#include "ui/charts/ticks.h"
#include "ui/plot/style.h"

#include <QStringList>

#include <functional>
#include <limits>
#include <string>
#include <vector>

/// What a chart shows, as plain data: made from results by pure functions, drawn by PlotChart.
namespace keepset::ui::charts {

struct ChartPoint {
    double x = 0;
    double y = std::numeric_limits<double>::quiet_NaN();
    double low = std::numeric_limits<double>::quiet_NaN(); ///< of the interval; NaN: none
    double high = std::numeric_limits<double>::quiet_NaN();
};

struct Series {
    std::string key; ///< of the method in files; hidden and chosen by it
    QString name; ///< stands at the end of the line
    std::vector<ChartPoint> points; ///< ascending x; points that are no numbers are left out
    plot::MethodStyle look;
    QString run; ///< of an earlier run laid over, whose lines are dashed; empty: of the run itself
};

/// A horizontal line with a few words on it.
struct ReferenceLine {
    std::string key;
    double value = 0;
    QString text;
    bool dashed = true;
};

struct Axis {
    QString title; ///< with its unit
    QString column; ///< in tables: "sparsity"
    AxisScale scale = AxisScale::linear;
    NumberFormat format = NumberFormat::plain;
};

/// A point that something is wrong with: it is ringed, and the words stand beside it.
struct FaultMark {
    std::size_t series = 0;
    std::size_t point = 0;
    QString text; ///< may be empty
};

/// One point of one series.
struct PointRef {
    std::size_t series = 0;
    std::size_t point = 0;
    bool operator==(const PointRef&) const = default;
};

struct ChartData {
    QString title;
    QString subtitle;
    Axis x;
    Axis y;
    std::vector<double> groups; ///< every x, where each has a slot of its own and intervals are bars; else bands
    std::vector<Series> series;
    std::vector<ReferenceLine> references;
    std::vector<FaultMark> faults;
    bool scattered = false; ///< points stand for themselves: no lines, and no names at their ends
    std::vector<PointRef> chosen; ///< ringed
    std::function<QStringList(PointRef)> tell {}; ///< what is read out of a point; empty: all series at its x
    QString keys = QStringLiteral("policy"); ///< in tables: what the series' keys are
    QString intervals; ///< in tables: what low and high are, "paired_to_dense"; empty: there are none
    QString warning; ///< stands across the top when a result must not be believed
    QString emptyText; ///< shown where there is no point at all
};

/// The part that is looked at, in coordinates of the axes.
struct ChartRange {
    AxisRange x;
    AxisRange y;
    bool operator==(const ChartRange&) const = default;
};

/// Coordinate of a value: the decimal logarithm on a log axis; NaN where it cannot be drawn.
double coordinateOf(const Axis& axis, double value);
/// Where a point stands across: its x, or, in groups, the place of its series in the slot, which ends at whole numbers.
double placeOf(const ChartData& data, PointRef at);
/// What series `a` and `b` have in common beside their points is all that is drawn of them.
bool sameLook(const ChartData& a, const ChartData& b);
/// The whole of the data with a little room around.
ChartRange fullRange(const ChartData& data);
bool isEmpty(const ChartData& data);
/// The data in words, for those who cannot see the chart.
QString describe(const ChartData& data);
/// RFC 4180: method (run), x, y and, named for what they are, the ends of the interval; numbers as short as they can be
/// without losing a bit.
QString chartCsv(const ChartData& data);

} // namespace keepset::ui::charts
