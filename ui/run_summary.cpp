#include "ui/run_summary.h"

#include "core/policies.h"
#include "ui/format.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    /// Of what was evicted most; dense beside it says nothing, because it evicts nothing.
    const SweepPoint* bestOf(const Run& run)
    {
        double highest = 0;
        for (const SweepPoint& point : run.points)
            highest = std::max(highest, point.sparsity);
        const SweepPoint* best = nullptr;
        for (const SweepPoint& point : run.points) {
            const bool counts = point.sparsity == highest && point.policy != "dense" && std::isfinite(point.perplexity);
            if (counts && (best == nullptr || point.perplexity < best->perplexity))
                best = &point;
        }
        return best;
    }

} // namespace

RunSummary summarise(const Run& run, const std::filesystem::path& file)
{
    RunSummary summary;
    summary.path = QString::fromStdString(file.string());
    summary.name = QString::fromStdString(file.stem().string());
    summary.model = QString::fromStdString(run.provenance.model_name);
    summary.text = QString::fromStdString(run.provenance.text_name);
    summary.command = QString::fromStdString(run.provenance.command);
    summary.when = QDateTime::fromString(QString::fromStdString(run.provenance.created), Qt::ISODate).toLocalTime();
    summary.done = run.windows_done();
    summary.windows = run.windows_of_shard();
    if (const SweepPoint* best = bestOf(run))
        summary.best = QCoreApplication::translate("RunSummary", "%1 by %2 at %3%")
                           .arg(formatSignificant(best->perplexity, 4), QString::fromStdString(title_of(best->policy)),
                               QString::number(100 * best->sparsity, 'g', 4));
    return summary;
}

} // namespace keepset::ui
