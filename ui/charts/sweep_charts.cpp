#include "ui/charts/sweep_charts.h"

#include "core/engine.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/method_legend.h"
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

    bool hasDense(const Run& run) { return !run.points.empty() && run.points.front().policy == "dense"; }

    /// Made from losses: with an interval, by the paired difference to dense.
    bool isOfLosses(Metric metric)
    {
        return metric == Metric::perplexity || metric == Metric::ratio || metric == Metric::deltaNll;
    }

    /// `difference`: of the mean loss to dense, nats.
    double ofLosses(Metric metric, double dense, double difference)
    {
        if (metric == Metric::deltaNll)
            return difference;
        return (metric == Metric::ratio ? 1 : dense) * std::exp(difference);
    }

    double valueOf(Metric metric, const SweepPoint& point, double dense)
    {
        switch (metric) {
        case Metric::perplexity:
            return point.perplexity;
        case Metric::ratio:
            return point.perplexity / dense;
        case Metric::deltaNll:
            return std::log(point.perplexity / dense);
        case Metric::kl:
            return point.kl;
        case Metric::top1:
            return point.top1_agreement;
        case Metric::keptMass:
            return point.kept_mass;
        case Metric::seconds:
            return point.seconds;
        }
        return not_a_number;
    }

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

    Series lineOf(const Run& run, const std::string& method, Metric metric)
    {
        Series series;
        series.key = method;
        series.name = methodTitle(method);
        const double dense = hasDense(run) ? run.points.front().perplexity : not_a_number;
        for (const double sparsity : sparsitiesOf(run)) {
            if (const SweepPoint* point = pointOf(run, method, sparsity))
                series.points.push_back({ sparsity, valueOf(metric, *point, dense) });
        }
        return series;
    }

    void addRun(ChartData& data, const Run& run, const QString& name, Metric metric)
    {
        const auto differences = name.isEmpty() && isOfLosses(metric) && hasDense(run)
            ? paired_differences(run, "dense")
            : std::vector<PairedDifference>();
        for (const std::string& method : methods(run)) {
            if (method == "dense")
                continue;
            Series series = lineOf(run, method, metric);
            for (ChartPoint& point : series.points) {
                const auto paired = std::ranges::find_if(
                    differences, [&](const auto& d) { return d.policy == method && same(d.sparsity, point.x); });
                if (paired == differences.end())
                    continue;
                point.low = ofLosses(metric, run.points.front().perplexity, paired->low);
                point.high = ofLosses(metric, run.points.front().perplexity, paired->high);
            }
            series.run = name;
            if (!name.isEmpty())
                series.name += QStringLiteral(" · ") + name;
            data.series.push_back(std::move(series));
        }
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

const std::vector<MetricInfo>& metricTable()
{
    static const std::vector<MetricInfo> table {
        { Metric::perplexity, "perplexity", QT_TRANSLATE_NOOP("keepset::ui::charts", "perplexity"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "Perplexity"), NumberFormat::plain },
        { Metric::ratio, "perplexity_ratio_to_dense", QT_TRANSLATE_NOOP("keepset::ui::charts", "ratio to dense"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "Perplexity ÷ dense"), NumberFormat::plain },
        { Metric::deltaNll, "delta_nll_to_dense", QT_TRANSLATE_NOOP("keepset::ui::charts", "ΔNLL to dense"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "ΔNLL (nats)"), NumberFormat::signedPlain },
        { Metric::kl, "kl", QT_TRANSLATE_NOOP("keepset::ui::charts", "KL to dense"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "KL(dense ‖ method) (nats)"), NumberFormat::plain },
        { Metric::top1, "top1_agreement", QT_TRANSLATE_NOOP("keepset::ui::charts", "top-1 agreement"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "Same first choice as dense"), NumberFormat::percent },
        { Metric::keptMass, "kept_mass", QT_TRANSLATE_NOOP("keepset::ui::charts", "kept attention mass"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "Attention mass kept"), NumberFormat::percent },
        { Metric::seconds, "seconds", QT_TRANSLATE_NOOP("keepset::ui::charts", "seconds"),
            QT_TRANSLATE_NOOP("keepset::ui::charts", "Seconds"), NumberFormat::plain },
    };
    return table;
}

QString nameOf(Metric metric) { return tr(metricTable()[static_cast<std::size_t>(metric)].name); }

bool has(const Run& run, Metric metric)
{
    return std::ranges::any_of(
        run.points, [&](const SweepPoint& point) { return std::isfinite(valueOf(metric, point, 1)); });
}

ChartData metricChart(const Run& run, const std::vector<EarlierRun>& earlier, const MetricView& view)
{
    const MetricInfo& info = metricTable()[static_cast<std::size_t>(view.metric)];
    const bool log = view.scale == AxisScale::log && info.format == NumberFormat::plain;
    ChartData data;
    const QString name = nameOf(view.metric);
    data.title = tr("%1 against sparsity").arg(name.left(1).toUpper() + name.mid(1));
    data.x = { tr("Sparsity (share of the context evicted)"), QStringLiteral("sparsity"), AxisScale::linear,
        NumberFormat::percent };
    data.y = { log ? tr("%1 (log)").arg(tr(info.axis)) : tr(info.axis), QLatin1String(info.column),
        log ? AxisScale::log : AxisScale::linear, info.format };
    data.emptyText = tr("No window is done yet.");
    data.warning = auditWarning(run.audit);
    addRun(data, run, {}, view.metric);
    for (const EarlierRun& other : earlier)
        addRun(data, *other.run, other.name, view.metric);
    const auto looks = looksOf(run, earlier);
    for (Series& series : data.series) {
        series.look = looks.at(series.key);
        const auto other = std::ranges::find(earlier, series.run, &EarlierRun::name);
        if (other != earlier.end() && other->color.isValid())
            series.look.light = series.look.dark = other->color;
    }
    if (isOfLosses(view.metric)) {
        data.intervals = QStringLiteral("paired_to_dense");
        data.subtitle = run.windows_done() < 5 ? tr("a band needs 5 windows")
                                               : tr("band: 95% of the difference to dense, paired by window");
    }
    if (isOfLosses(view.metric) && hasDense(run)) {
        const double dense = run.points.front().perplexity;
        data.references.push_back({ "dense", valueOf(view.metric, run.points.front(), dense),
            tr("dense %1").arg(valueText(dense, NumberFormat::plain)), true });
    }
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
    difference_->setData(differenceChart(run, reference));
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
