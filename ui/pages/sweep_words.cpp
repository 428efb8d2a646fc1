#include "ui/pages/sweep_words.h"

#include "core/compare_runs.h"
#include "core/error.h"
#include "core/findings.h"

#include <QCoreApplication>

namespace keepset::ui {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui", text); }

    /// A line for each run laid over: what differs, or why it is not drawn.
    QStringList comparisons(const Run& run, const std::vector<charts::EarlierRun>& earlier)
    {
        QStringList lines;
        for (const charts::EarlierRun& other : earlier) {
            const RunComparison found = compare_runs(run, *other.run);
            QStringList differs;
            for (const std::string& part : found.differs)
                differs << QString::fromStdString(part);
            if (!found.refusal.empty())
                lines << tr("✕ %1 is not drawn. %2").arg(other.name, QString::fromStdString(found.refusal));
            else if (!differs.isEmpty())
                lines << tr("≠ %1 has %2.").arg(other.name, differs.join(QStringLiteral(", ")));
        }
        return lines;
    }

} // namespace

SweepWords wordsOf(const Run* run, const std::vector<charts::EarlierRun>& earlier, const std::string& reference)
{
    SweepWords words;
    if (run == nullptr)
        return words;
    try {
        for (const Finding& finding : findings(*run, reference))
            words.sentences << QString::fromStdString(finding.sentence);
    } catch (const Error& error) { // a file may hold a run that says nothing of this method
        words.notes << QString::fromStdString(error.sentence());
    }
    for (const Check& check : run->audit.checks) {
        if (check.status == CheckStatus::warning)
            words.notes
                << tr("⚠ Audit, %1: %2").arg(QString::fromStdString(check.name), QString::fromStdString(check.detail));
    }
    words.notes << comparisons(*run, earlier);
    return words;
}

} // namespace keepset::ui
