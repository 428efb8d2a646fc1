#include "ui/run_summary.h"

#include "core/metrics.h"
#include "core/policies.h"
#include "ui/format.h"

#include <QCoreApplication>

namespace keepset::ui {

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
    if (const auto best = best_point(run)) {
        const SweepPoint& point = run.points[*best];
        summary.best = QCoreApplication::translate("RunSummary", "%1 by %2 at %3%")
                           .arg(formatSignificant(point.perplexity, 4), QString::fromStdString(title_of(point.policy)),
                               QString::number(100 * point.sparsity, 'g', 4));
    }
    return summary;
}

} // namespace keepset::ui
