#include "ui/charts/plot_chart.h"

#include <algorithm>
#include <cmath>

/// Ticks of the axes of a chart.
namespace keepset::ui::charts {

void setTicks(QCategoryAxis& axis, double start, const std::vector<double>& places, const std::vector<QString>& labels)
{
    const QStringList wanted(labels.begin(), labels.end());
    const bool same = axis.categoriesLabels() == wanted
        && (places.empty() || axis.endValue(wanted.last()) == places.back()) && axis.startValue() == start;
    if (same)
        return;
    for (const QString& old : axis.categoriesLabels())
        axis.remove(old);
    axis.setStartValue(start);
    for (std::size_t i = 0; i < places.size(); ++i)
        axis.append(labels[i], places[i]);
}

void PlotChart::updateTicks()
{
    const ChartRange seen = range();
    const QRectF plot = plotArea();
    if (!(seen.x.length() > 0) || !(seen.y.length() > 0))
        return;
    sizeMarks();
    const auto place = [](QCategoryAxis& axis, const Axis& of, AxisRange sight, int wanted) {
        const bool log = of.scale == AxisScale::log;
        const auto ticks = log ? logTicks({ std::pow(10, sight.low), std::pow(10, sight.high) }, wanted)
                               : linearTicks(sight, wanted);
        std::vector<double> places;
        places.reserve(ticks.size());
        for (const double tick : ticks)
            places.push_back(coordinateOf(of, tick));
        const double start = std::min(sight.low, places.empty() ? sight.low : places.front()) - sight.length();
        setTicks(axis, start, places, tickLabels(ticks, of.format));
    };
    place(*y_, data_.y, seen.y, std::clamp(static_cast<int>(plot.height() / 38), 2, 9));
    if (data_.groups.empty())
        return place(*x_, data_.x, seen.x, std::clamp(static_cast<int>(plot.width() / 80), 2, 10));
    std::vector<double> ends;
    std::vector<QString> labels;
    ends.reserve(data_.groups.size());
    labels.reserve(data_.groups.size());
    for (const double group : data_.groups) {
        ends.push_back(static_cast<double>(ends.size() + 1));
        labels.push_back(valueText(group, data_.x.format));
    }
    setTicks(*x_, 0, ends, labels);
}

} // namespace keepset::ui::charts
