#include "ui/session.h"
#include "ui/session_job.h"

#include <QElapsedTimer>

#include <utility>

/// Session's requests about the heads of an analysis, and its importance.
namespace keepset::ui {

void Session::makeImportance(const std::shared_ptr<const Analysis>& analysis, const Importance& importance)
{
    enqueue(Kind::importance, tr("summing up the last queries"), [=, this](const Task& task, const auto& job) {
        make_importance(*analysis, importance, task);
        const auto held = find_importance(*analysis, importance); // until it is shown
        announce(job, [=, this] {
            if (held)
                Q_EMIT importanceMade(analysis, importance);
        });
    });
}

void Session::summariseHeads(const std::shared_ptr<const Analysis>& analysis, const Importance& importance)
{
    constexpr std::int64_t mostBins = 512; // more than a tile has pixels, until one is looked at alone
    const auto held = find_importance(*analysis, importance); // as long as it is looked at
    enqueue(Kind::heads, tr("looking at the heads"), [=, this](const Task& task, const auto& job) {
        static_cast<void>(held);
        const auto tell = [&](HeadSummaries some) {
            const auto heads = std::make_shared<const HeadSummaries>(std::move(some));
            announce(job, [this, analysis, heads] { Q_EMIT headsSummarised(analysis, heads); });
        };
        QElapsedTimer last;
        const auto partly = [&](const HeadSummaries& heads) {
            if (heads.is_finished() || (last.isValid() && last.elapsed() < 100)) // ms: ten pictures a second
                return;
            last.start();
            tell(heads);
        };
        tell(summarise_heads(*analysis, importance, mostBins, 0, { task.stop, partly }));
    });
}

void Session::compareHeads(
    const std::shared_ptr<const Analysis>& analysis, const std::array<std::shared_ptr<const KeepSet>, 2>& keepSets)
{
    enqueue(Kind::headComparison, tr("comparing keep sets"), [=, this](const Task& task, const auto& job) {
        HeadComparison comparison { keepSets, {}, {} };
        for (std::size_t side = 0; side < keepSets.size(); ++side) {
            if (keepSets[side])
                comparison.kept[side] = kept_shares(*analysis, *keepSets[side], 0, task.stop);
        }
        if (keepSets[0] && keepSets[1])
            comparison.alike = jaccard_by_head(*keepSets[0], *keepSets[1], 0, task.stop);
        announce(job, [=, this] { Q_EMIT headsCompared(analysis, comparison); });
    });
}

} // namespace keepset::ui
