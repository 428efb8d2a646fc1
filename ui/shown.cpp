#include "ui/shown.h"

#include "core/analysis.h"
#include "core/run.h"
#include "ui/format.h"
#include "ui/selection_state.h"

#include <QCoreApplication>
#include <QStringList>

namespace keepset::ui {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui", text); }

    QString words(const std::string& text) { return QString::fromStdString(text); }

    /// "cpu (CPU, 2 threads)" → "CPU, 2 threads".
    QString deviceTitle(const QString& device)
    {
        const QString title = device.section(QLatin1Char('('), 1).chopped(device.endsWith(QLatin1Char(')')) ? 1 : 0);
        return title.isEmpty() ? device : title;
    }

    /// What analyses and sweeps have alike.
    Shown shownOf(const Provenance& provenance, std::int64_t offset, const Importance& importance, GqaReduction gqa)
    {
        Shown shown;
        shown.model = words(provenance.model_name);
        shown.text = words(provenance.text_name);
        if (offset > 0)
            shown.passage = tr("from %1").arg(formatCount(offset));
        shown.importance = QStringLiteral("%1 / %2").arg(words(name_of(importance)), words(name_of(gqa)));
        if (!provenance.device.empty())
            shown.device = tr("%1 on %2").arg(words(provenance.dtype), deviceTitle(words(provenance.device)));
        // 2026-11-29T04:05:06Z: the seconds tell nobody anything.
        const QString created = words(provenance.created);
        if (created.size() >= 16)
            shown.date = QStringLiteral("%1 %2 UTC").arg(created.first(10), created.mid(11, 5));
        return shown;
    }

    QString layersWords(std::int64_t evicting, std::int64_t all)
    {
        return evicting == all ? QString() : tr("evicts in %1 of %2 layers").arg(evicting).arg(all);
    }

} // namespace

QString modelOf(const Shown& shown)
{
    return shown.namesake.isEmpty() ? shown.model : QStringLiteral("%1 (%2)").arg(shown.model, shown.namesake);
}

QString lineOf(const Shown& shown)
{
    QStringList parts;
    for (const QString& part : { shown.file, modelOf(shown), shown.text, shown.passage, shown.context, shown.importance,
             shown.scope, shown.layers, shown.sparsity, shown.marks, shown.device, shown.date }) {
        if (!part.isEmpty())
            parts << part;
    }
    return parts.join(QStringLiteral(" · "));
}

QString staleWords(const Shown& shown) { return shown.stale ? tr("not of the open model and text") : QString(); }

Shown shownOf(const Analysis& analysis, const SelectionState& selection, const QString& scopeTitle)
{
    Shown shown = shownOf(analysis.provenance, analysis.offset, selection.importance(), selection.gqa());
    shown.source = Shown::Source::analysis;
    shown.context = tr("%1 tokens").arg(formatCount(analysis.context));
    shown.scope = scopeTitle;
    shown.layers = layersWords(layers_that_evict(analysis, selection.sliding()), analysis.layers);
    const bool whole = qRound(selection.sparsity() * 1000) % 10 == 0;
    shown.sparsity = tr("%1 evicted").arg(formatPercent(selection.sparsity(), whole ? 0 : 1));
    std::int64_t stay = 0;
    std::int64_t go = 0;
    for (const Pin& pin : selection.pins())
        (pin.stays ? stay : go) += pin.end - pin.begin;
    if (stay + go > 0)
        shown.marks = tr("%1 marked to stay, %2 to go").arg(formatCount(stay), formatCount(go));
    return shown;
}

Shown shownOf(const Run& run)
{
    Shown shown = shownOf(run.provenance, run.offset, run.importance, run.gqa);
    shown.source = Shown::Source::run;
    shown.context = tr("windows of %1 + %2").arg(formatCount(run.context), formatCount(run.target));
    shown.scope = tr("keep set per %1 · %2").arg(words(name_of(run.granularity)), words(name_of(run.protocol)));
    shown.layers = layersWords(run.layers_that_evict(), run.layers);
    shown.sparsity = tr("%1 of %2 windows").arg(formatCount(run.windows_done()), formatCount(run.windows_of_shard()));
    return shown;
}

} // namespace keepset::ui
