#include "ui/charts/distance_chart.h"

#include "core/metrics.h"
#include "ui/charts/sweep_charts.h"
#include "ui/color_map.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>

namespace keepset::ui::charts {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui::charts", text); }

    struct Distance {
        const char* metric; ///< by its name in core's table
        const char* name;
        double depth; ///< of the colour, as far as it is seen on white
        plot::Marker marker;
    };
    constexpr std::array distances {
        Distance { "near_nll", QT_TRANSLATE_NOOP("keepset::ui::charts", "targets 1–32"), 0.7, plot::Marker::circle },
        Distance { "middle_nll", QT_TRANSLATE_NOOP("keepset::ui::charts", "33–128"), 0.4, plot::Marker::square },
        Distance { "far_nll", QT_TRANSLATE_NOOP("keepset::ui::charts", "from 129 on"), 0.1, plot::Marker::diamond },
    };

    Series seriesOf(const Run& run, const std::string& method, const Distance& distance)
    {
        const Metric& metric = find_metric(distance.metric);
        const plot::MethodStyle look { QColor(viridis(distance.depth)), QColor(viridis(0.3 + 0.7 * distance.depth)),
            distance.marker, false };
        Series series { distance.metric, tr(distance.name), {}, look, {} };
        const std::vector<Interval> intervals = intervals_of(run, metric); // (points)
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (run.points[i].policy == method && run.points[i].sparsity > 0)
                series.points.push_back(
                    { run.points[i].sparsity, value_of(run, metric, i), intervals[i].low, intervals[i].high });
        }
        std::ranges::sort(series.points, {}, &ChartPoint::x);
        return series;
    }

} // namespace

ChartData distanceChart(const Run& run, const std::string& method)
{
    ChartData data;
    data.title = tr("%1 by distance behind the context").arg(methodTitle(method));
    data.subtitle = run.windows_done() < least_windows ? tr("an interval needs 5 windows")
                                                       : tr("95%, paired by window; above 0 is worse");
    data.x = { tr("Sparsity"), QStringLiteral("sparsity"), AxisScale::linear, NumberFormat::percent };
    data.y = { tr("ΔNLL (nats)"), QStringLiteral("delta_nll_of_") + QString::fromStdString(method), AxisScale::linear,
        NumberFormat::signedPlain };
    data.keys = QStringLiteral("metric");
    data.intervals = QStringLiteral("paired_to_dense");
    data.warning = run.audit.failed() ? tr("The audit fails: do not trust this chart.") : QString();
    if (method == "dense") {
        data.emptyText = tr("Dense loses nothing to itself: choose another method.");
        return data;
    }
    data.emptyText = tr("This run does not hold losses by distance.");
    for (const Distance& distance : distances) {
        if (holds(run, find_metric(distance.metric)))
            data.series.push_back(seriesOf(run, method, distance));
    }
    if (data.series.empty())
        return data;
    for (const ChartPoint& point : data.series.front().points)
        data.groups.push_back(point.x);
    data.references.push_back({ "dense", 0, QString(), false });
    return data;
}

} // namespace keepset::ui::charts
