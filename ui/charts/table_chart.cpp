#include "ui/charts/table_chart.h"

#include "core/audit_places.h"
#include "ui/charts/sweep_charts.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <set>

namespace keepset::ui::charts {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui::charts", text); }

    void addCurves(ChartData& data, const ImportedTable& table)
    {
        const std::vector<ImportedCurve> curves = curves_of(table);
        std::vector<std::string> names;
        std::ranges::transform(curves, std::back_inserter(names), &ImportedCurve::method);
        const auto looks = plot::methodStyles(names);
        for (std::size_t i = 0; i < curves.size(); ++i) {
            Series series { names[i], methodTitle(names[i]), {}, looks[i], {} };
            for (const ImportedTable::Row& row : curves[i].rows)
                series.points.push_back({ row.sparsity, row.perplexity });
            data.series.push_back(std::move(series));
        }
        if (const double dense = dense_perplexity(table); std::isfinite(dense))
            data.references.push_back(
                { "dense", dense, tr("dense %1").arg(valueText(dense, NumberFormat::plain)), true });
    }

    /// Every check has its name at the first of its points.
    void addFaults(ChartData& data, const ImportedTable& table)
    {
        std::set<std::string> named;
        for (const AuditPlace& place : places_of(table)) {
            const auto series = std::ranges::find(data.series, place.method, &Series::key);
            if (series == data.series.end())
                continue;
            const auto point = std::ranges::find(series->points, place.sparsity, &ChartPoint::x);
            const QString name = QString::fromStdString(place.check);
            const bool first = named.insert(place.check).second;
            data.faults.push_back({ static_cast<std::size_t>(series - data.series.begin()),
                static_cast<std::size_t>(point - series->points.begin()),
                !first                                  ? QString()
                    : place.status == CheckStatus::fail ? QStringLiteral("✕ ") + name
                                                        : QStringLiteral("⚠ ") + name });
        }
    }

} // namespace

ChartData tableChart(const ImportedTable& table, const AuditReport& report)
{
    ChartData data;
    data.title = tr("Perplexity against sparsity");
    data.x = { tr("Sparsity (share of the context evicted)"), QStringLiteral("sparsity"), AxisScale::linear,
        NumberFormat::percent };
    data.y
        = { tr("%1 (log)").arg(tr("Perplexity")), QStringLiteral("perplexity"), AxisScale::log, NumberFormat::plain };
    data.emptyText = tr("The table has no method but dense.");
    data.warning = auditWarning(report);
    addCurves(data, table);
    addFaults(data, table);
    return data;
}

} // namespace keepset::ui::charts
