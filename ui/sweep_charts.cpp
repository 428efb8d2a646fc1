#include "ui/sweep_charts.h"

#include "core/engine.h"
#include "ui/format.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("SweepCharts", text); }

    bool same(double a, double b) { return std::abs(a - b) < 1e-9; }

    bool hasDense(const Run& run) { return !run.points.empty() && run.points.front().policy == "dense"; }

    /// Lines of one run; the band is the interval of ΔNLL to dense, mapped by exp onto the dense perplexity.
    void addLines(plot::Chart& chart, const Run& run, bool ratio, const QString& suffix)
    {
        if (!hasDense(run))
            return;
        const double dense = run.points.front().perplexity;
        const double unit = ratio ? dense : 1;
        const auto differences = paired_differences(run, "dense");
        for (const std::string& method : methods(run)) {
            if (method == "dense")
                continue;
            plot::Series series;
            series.name = methodTitle(method) + suffix;
            series.look = plot::methodStyle(method);
            series.dashed = !suffix.isEmpty();
            for (const double sparsity : sparsitiesOf(run)) {
                const SweepPoint* point = pointOf(run, method, sparsity);
                if (!point)
                    continue;
                plot::ChartPoint shown { sparsity, point->perplexity / unit };
                const auto paired = std::find_if(differences.begin(), differences.end(),
                    [&](const PairedDifference& d) { return d.policy == method && same(d.sparsity, sparsity); });
                if (paired != differences.end() && series.dashed == false) {
                    shown.low = dense / unit * std::exp(paired->low);
                    shown.high = dense / unit * std::exp(paired->high);
                }
                series.points.push_back(shown);
            }
            chart.series.push_back(std::move(series));
        }
    }

    std::vector<double> percentTicks(double last)
    {
        const double step = last > 0.45 ? 0.2 : (last > 0.2 ? 0.1 : 0.05);
        std::vector<double> ticks;
        for (int i = 0; i * step <= last + step * 0.999 && i * step < 1 + 1e-9; ++i)
            ticks.push_back(i * step);
        return ticks;
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

QString setUpLine(const Run& run)
{
    QStringList parts;
    if (!run.provenance.text_name.empty())
        parts << QString::fromStdString(run.provenance.text_name);
    parts << tr("context %1").arg(formatCount(run.context)) << tr("target %1").arg(formatCount(run.target));
    const std::int64_t done = run.windows_done();
    parts << (done == run.windows ? tr("%1 windows").arg(formatCount(run.windows))
                                  : tr("%1 of %2 windows").arg(formatCount(done), formatCount(run.windows)));
    parts << tr("keep set per %1").arg(QString::fromStdString(name_of(run.granularity)))
          << QString::fromStdString(name_of(run.protocol));
    return parts.join(QStringLiteral(" · "));
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

plot::Chart perplexityChart(const Run& run, const std::vector<EarlierRun>& earlier, const PerplexityView& view)
{
    plot::Chart chart;
    chart.title = view.ratio ? tr("Perplexity relative to dense") : tr("Perplexity against sparsity");
    chart.subtitle = setUpLine(run);
    chart.x
        = { tr("Sparsity (share of the context evicted)"), plot::AxisScale::linear, plot::NumberFormat::percent, {} };
    const QString unit = view.ratio ? tr("Perplexity ÷ dense") : tr("Perplexity");
    chart.y = { view.scale == plot::AxisScale::log ? tr("%1 (log)").arg(unit) : unit, view.scale,
        plot::NumberFormat::plain, {} };
    chart.emptyText = tr("No window is done yet.");
    chart.warning = auditWarning(run.audit);
    addLines(chart, run, view.ratio, QString());
    for (const EarlierRun& other : earlier)
        addLines(chart, *other.run, view.ratio, QStringLiteral(" · ") + other.name);
    const auto sparsities = sparsitiesOf(run);
    if (!sparsities.empty())
        chart.x.ticks = percentTicks(sparsities.back());
    if (hasDense(run) && std::isfinite(run.points.front().perplexity)) {
        const double dense = run.points.front().perplexity;
        chart.references.push_back(
            { view.ratio ? 1 : dense, tr("dense %1").arg(plot::valueText(dense, plot::NumberFormat::plain)), true });
    }
    return chart;
}

plot::Chart differenceChart(const Run& run, const std::string& reference)
{
    plot::Chart chart;
    chart.title = tr("Difference to %1").arg(methodTitle(reference));
    chart.subtitle
        = run.windows_done() < 5 ? tr("an interval needs 5 windows") : tr("95%, paired by window; above 0 is worse");
    chart.x = { tr("Sparsity"), plot::AxisScale::linear, plot::NumberFormat::percent, {} };
    chart.y = { tr("ΔNLL to %1 (nats per token)").arg(methodTitle(reference)), plot::AxisScale::linear,
        plot::NumberFormat::signedPlain, {} };
    chart.warning = run.audit.failed() ? tr("The audit fails: do not trust this chart.") : QString();
    chart.emptyText = tr("No other method to compare with.");
    const auto differences = paired_differences(run, reference);
    for (const PairedDifference& difference : differences) {
        if (!difference.undecided.empty() && difference.sparsity > 0 && chart.warning.isEmpty())
            chart.warning = tr("Nothing is decided at %1: %2.")
                                .arg(plot::valueText(difference.sparsity, plot::NumberFormat::percent),
                                    QString::fromStdString(difference.undecided));
    }
    for (const std::string& method : methods(run)) {
        plot::Series series { methodTitle(method), {}, plot::methodStyle(method), false, true };
        for (const PairedDifference& difference : differences) {
            if (difference.policy == method && method != "dense" && difference.sparsity > 0)
                series.points.push_back({ difference.sparsity, difference.mean, difference.low, difference.high });
        }
        std::sort(series.points.begin(), series.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
        if (!series.points.empty())
            chart.series.push_back(std::move(series));
    }
    for (const double sparsity : sparsitiesOf(run)) {
        if (sparsity > 0)
            chart.x.ticks.push_back(sparsity);
    }
    chart.references.push_back({ 0, QString(), false });
    return chart;
}

} // namespace keepset::ui
