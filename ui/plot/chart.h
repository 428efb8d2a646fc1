#pragma once

#include "ui/plot/axis.h"
#include "ui/plot/style.h"

#include <QRectF>

#include <limits>
#include <optional>
#include <vector>

class QPainter;

/// A chart as plain data, and painting it with any QPainter: window, picture, SVG and PDF come from the same code.
namespace keepset::ui::plot {

struct ChartPoint {
    double x = 0;
    double y = std::numeric_limits<double>::quiet_NaN();
    double low = std::numeric_limits<double>::quiet_NaN(); ///< of the band or error bar; NaN: none
    double high = std::numeric_limits<double>::quiet_NaN();
};

struct Series {
    QString name; ///< stands at the end of the line
    std::vector<ChartPoint> points; ///< ascending x
    MethodStyle look;
    bool dashed = false; ///< an earlier run
    bool errorBars = false; ///< intervals as bars beside one another, else as a band
};

/// A horizontal line with a few words on it.
struct ReferenceLine {
    double value = 0;
    QString text;
    bool dashed = true;
};

struct Axis {
    QString title; ///< with its unit
    AxisScale scale = AxisScale::linear;
    NumberFormat format = NumberFormat::plain;
    std::vector<double> ticks; ///< empty: chosen
};

struct Chart {
    QString title;
    QString subtitle;
    Axis x;
    Axis y;
    std::vector<Series> series;
    std::vector<ReferenceLine> references;
    QString warning; ///< painted across the top when a result must not be believed
    QString emptyText; ///< shown where there is no point at all
};

/// The ranges that are looked at.
struct ChartView {
    AxisRange x;
    AxisRange y;
    bool operator==(const ChartView&) const = default;
};

/// Where things stand on a canvas.
struct ChartLayout {
    QRectF canvas;
    QRectF plot; ///< inside the axes
    AxisMap x;
    AxisMap y;
    double headingHeight = 0;
    QRectF warning; ///< the strip for it; empty where there is none
};

/// One point of one series.
struct PointRef {
    std::size_t series = 0;
    std::size_t point = 0;
    bool operator==(const PointRef&) const = default;
};

/// The whole of the data with a little room around.
ChartView fullView(const Chart& chart);
/// Places plot and axes so that all labels have room. `heading`: title and subtitle are painted above, as exports need
/// it.
ChartLayout layoutChart(const Chart& chart, const ChartView& view, const Style& style, QRectF canvas, bool heading);
/// Paints everything; nothing outside the canvas.
void paintChart(QPainter& painter, const Chart& chart, const ChartLayout& layout, const Style& style);
/// Paints the read-out for a point: a rule at its x and a box with what every series has there.
void paintReadout(QPainter& painter, const Chart& chart, const ChartLayout& layout, const Style& style, PointRef at);

/// Where a point stands; error bars of several series at one x stand side by side.
QPointF positionOf(const Chart& chart, const ChartLayout& layout, PointRef at);
/// The nearest visible point within `reach` pixels.
std::optional<PointRef> nearestPoint(const Chart& chart, const ChartLayout& layout, QPointF pixel, double reach);
bool isEmpty(const Chart& chart);
/// A value as read-outs and tables write it: four significant digits, or percent.
QString valueText(double value, NumberFormat format);
/// The data in words, for a screen reader.
QString describe(const Chart& chart);
/// Columns series, <x title>, <y title>, low, high; RFC 4180, full precision.
QString chartCsv(const Chart& chart);

} // namespace keepset::ui::plot
