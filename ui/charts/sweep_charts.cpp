#include "ui/charts/sweep_charts.h"

#include "core/engine.h"
#include "core/metrics.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/distance_chart.h"
#include "ui/charts/method_legend.h"
#include "ui/charts/metric_words.h"
#include "ui/format.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <cmath>
#include <map>

namespace keepset::ui::charts {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui::charts", text); }

    bool same(double a, double b) { return std::abs(a - b) < 1e-9; }

    /// The same look for a method in every run.
    std::map<std::string, plot::MethodStyle> looksOf(const Run& run, const std::vector<EarlierRun>& earlier)
    {
        std::vector<std::string> names = methods(run);
        for (const EarlierRun& other : earlier) {
            for (const std::string& method : methods(*other.run)) {
                if (std::ranges::find(names, method) == names.end())
                    names.push_back(method);
            }
        }
        const auto styles = plot::methodStyles(names);
        std::map<std::string, plot::MethodStyle> looks;
        for (std::size_t i = 0; i < names.size(); ++i)
            looks[names[i]] = styles[i];
        return looks;
    }

    /// The lines of a run; earlier ones, which have a name, without bands.
    void addRun(ChartData& data, const Run& run, const QString& name, const Metric& metric)
    {
        const std::vector<Interval> bands
            = name.isEmpty() ? bands_of(run, metric) : std::vector<Interval>(); // (points)
        for (const std::string& method : methods(run)) {
            if (method == "dense")
                continue;
            Series series;
            series.key = method;
            series.name = name.isEmpty() ? methodTitle(method) : methodTitle(method) + QStringLiteral(" · ") + name;
            series.run = name;
            for (std::size_t i = 0; i < run.points.size(); ++i) {
                if (run.points[i].policy != method)
                    continue;
                ChartPoint point { run.points[i].sparsity, value_of(run, metric, i) };
                if (!bands.empty()) {
                    point.low = bands[i].low;
                    point.high = bands[i].high;
                }
                series.points.push_back(point);
            }
            std::ranges::stable_sort(series.points, {}, &ChartPoint::x);
            data.series.push_back(std::move(series));
        }
    }

    /// What low and high are, for tables and in words.
    void nameBands(ChartData& data, const Run& run, const Metric& metric)
    {
        const bool paired = metric.paired || metric.band_of_ratio;
        if (metric.mean == Metric::Mean::none)
            return;
        data.intervals = paired ? QStringLiteral("paired_to_dense") : QStringLiteral("over_windows");
        if (run.windows_done() < least_windows)
            data.subtitle = tr("a band needs 5 windows");
        else
            data.subtitle
                = paired ? tr("band: 95% of the difference to dense, paired by window") : tr("band: 95% over windows");
    }

    /// Dense as a dashed line with its value.
    void addDense(ChartData& data, const Run& run, const Metric& metric)
    {
        if (run.points.empty() || run.points.front().policy != "dense" || !(metric.paired || metric.band_of_ratio))
            return;
        const QString perplexity = valueText(run.points.front().perplexity, NumberFormat::plain);
        data.references.push_back({ "dense", value_of(run, metric, 0),
            metric.paired ? tr("dense, perplexity %1").arg(perplexity) : tr("dense %1").arg(perplexity), true });
    }

} // namespace

QString methodTitle(const std::string& policy)
{
    try {
        return QString::fromStdString(title(parse_policy(policy)));
    } catch (const Error&) { // a file of another version may name policies that this one lacks
        return QString::fromStdString(policy);
    }
}

QString auditWarning(const AuditReport& report)
{
    QStringList failures;
    for (const Check& check : report.checks) {
        if (check.status == CheckStatus::fail)
            failures
                << tr("%1 fails: %2").arg(QString::fromStdString(check.name), QString::fromStdString(check.detail));
    }
    return failures.isEmpty()
        ? QString()
        : tr("Do not trust this chart. The audit's check %1").arg(failures.join(QLatin1Char(' ')));
}

std::vector<double> sparsitiesOf(const Run& run)
{
    std::vector<double> sparsities;
    for (const SweepPoint& point : run.points) {
        if (point.policy != "dense")
            sparsities.push_back(point.sparsity);
    }
    std::sort(sparsities.begin(), sparsities.end());
    sparsities.erase(std::unique(sparsities.begin(), sparsities.end(), same), sparsities.end());
    return sparsities;
}

const SweepPoint* pointOf(const Run& run, const std::string& policy, double sparsity)
{
    const auto found = std::find_if(run.points.begin(), run.points.end(),
        [&](const SweepPoint& point) { return point.policy == policy && same(point.sparsity, sparsity); });
    return found == run.points.end() ? nullptr : &*found;
}

ChartData metricChart(const Run& run, const std::vector<EarlierRun>& earlier, const MetricView& view)
{
    const Metric& metric = find_metric(view.metric);
    const bool log = view.scale == AxisScale::log && metric.values == Metric::Values::positive;
    ChartData data;
    const QString name = titleOf(metric);
    data.title = tr("%1 against sparsity").arg(name.left(1).toUpper() + name.mid(1));
    data.x = { tr("Sparsity (share of the context evicted)"), QStringLiteral("sparsity"), AxisScale::linear,
        NumberFormat::percent };
    const QString axis = axisTitleOf(metric);
    data.y = { log ? tr("%1 (log)").arg(axis) : axis, QString::fromStdString(metric.name),
        log ? AxisScale::log : AxisScale::linear, formatOf(metric) };
    data.emptyText = tr("No window is done yet.");
    data.warning = auditWarning(run.audit);
    addRun(data, run, {}, metric);
    for (const EarlierRun& other : earlier)
        addRun(data, *other.run, other.name, metric);
    const auto looks = looksOf(run, earlier);
    for (Series& series : data.series) {
        series.look = looks.at(series.key);
        const auto other = std::ranges::find(earlier, series.run, &EarlierRun::name);
        if (other != earlier.end() && other->color.isValid())
            series.look.light = series.look.dark = other->color;
    }
    nameBands(data, run, metric);
    addDense(data, run, metric);
    return data;
}

ChartData differenceChart(const Run& run, const std::string& reference)
{
    ChartData data;
    data.title = tr("Difference to %1").arg(methodTitle(reference));
    data.subtitle
        = run.windows_done() < 5 ? tr("an interval needs 5 windows") : tr("95%, paired by window; above 0 is worse");
    data.x = { tr("Sparsity"), QStringLiteral("sparsity"), AxisScale::linear, NumberFormat::percent };
    data.y = { tr("ΔNLL (nats)"), QStringLiteral("delta_nll_to_") + QString::fromStdString(reference),
        AxisScale::linear, NumberFormat::signedPlain };
    data.intervals = QStringLiteral("paired_to_") + QString::fromStdString(reference);
    data.warning = run.audit.failed() ? tr("The audit fails: do not trust this chart.") : QString();
    data.emptyText = tr("No other method to compare with.");
    const std::vector<std::string> present = methods(run);
    if (std::ranges::find(present, reference) == present.end())
        return data;
    const auto differences = paired_differences(run, reference);
    for (const PairedDifference& difference : differences) {
        if (!difference.undecided.empty() && difference.sparsity > 0 && data.warning.isEmpty())
            data.warning = tr("Nothing is decided at %1: %2.")
                               .arg(valueText(difference.sparsity, NumberFormat::percent),
                                   QString::fromStdString(difference.undecided));
    }
    const auto looks = looksOf(run, {});
    for (const std::string& method : present) {
        Series series { method, methodTitle(method), {}, looks.at(method), {} };
        for (const PairedDifference& difference : differences) {
            if (difference.policy == method && method != "dense" && difference.sparsity > 0)
                series.points.push_back({ difference.sparsity, difference.mean, difference.low, difference.high });
        }
        std::ranges::sort(series.points, {}, &ChartPoint::x);
        if (!series.points.empty())
            data.series.push_back(std::move(series));
    }
    for (const double sparsity : sparsitiesOf(run)) {
        if (sparsity > 0)
            data.groups.push_back(sparsity);
    }
    data.references.push_back({ reference, 0, QString(), false });
    return data;
}

SweepCharts::SweepCharts(QWidget* parent)
    : QObject(parent)
    , metric_(new ChartView(parent))
    , difference_(new ChartView(parent))
    , legend_(new MethodLegend(parent))
{
    metric_->setObjectName(QStringLiteral("perplexityChart"));
    difference_->setObjectName(QStringLiteral("differenceChart"));
    legend_->setObjectName(QStringLiteral("sweepLegend"));
    metric_->setExportName(QStringLiteral("perplexity"));
    difference_->setExportName(QStringLiteral("difference"));
    connect(legend_, &MethodLegend::hiddenChanged, this, [this](const std::set<std::string>& keys) {
        for (ChartView* view : { metric_, difference_ })
            view->plot()->setHidden(keys);
    });
    connect(legend_, &MethodLegend::highlightChanged, this, [this](const std::string& key) {
        for (ChartView* view : { metric_, difference_ })
            view->plot()->setHighlighted(key);
    });
    for (ChartView* view : { metric_, difference_ }) {
        connect(view, &ChartView::pointHovered, this, [this](const QString& key) {
            legend_->setHighlighted(key.toStdString());
            for (ChartView* each : { metric_, difference_ })
                each->plot()->setHighlighted(key.toStdString());
        });
        connect(view, &ChartView::nameClicked, this, [this](const QString& key, bool alone) {
            alone ? legend_->isolate(key.toStdString()) : legend_->toggle(key.toStdString());
        });
        connect(view, &ChartView::pointClicked, this, &SweepCharts::pointClicked);
    }
}

void SweepCharts::setRun(
    const Run& run, const std::vector<EarlierRun>& earlier, const MetricView& view, const std::string& reference)
{
    ChartData data = metricChart(run, earlier, view);
    std::vector<MethodLegend::Method> shown;
    for (const Series& series : data.series) {
        if (std::ranges::find(shown, series.key, &MethodLegend::Method::key) == shown.end())
            shown.push_back({ series.key, methodTitle(series.key), series.look });
    }
    legend_->setMethods(std::move(shown));
    metric_->setExportName(QString(data.y.column).replace(QLatin1Char('_'), QLatin1Char('-')));
    metric_->setData(std::move(data));
    difference_->setExportName(byDistance_ ? QStringLiteral("distance") : QStringLiteral("difference"));
    difference_->setData(byDistance_ ? distanceChart(run, reference) : differenceChart(run, reference));
}

void SweepCharts::clear(const QString& metricWords)
{
    ChartData data;
    data.title = tr("Perplexity against sparsity");
    data.emptyText = metricWords;
    metric_->setData(std::move(data));
    data = {};
    data.title = tr("Difference between methods");
    data.emptyText = tr("ΔNLL to a method of your choice, paired by window.");
    difference_->setData(std::move(data));
    legend_->setMethods({});
}

} // namespace keepset::ui::charts
