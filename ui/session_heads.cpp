#include "ui/session.h"
#include "ui/session_job.h"

/// Session's requests about the heads of an analysis.
namespace keepset::ui {

void Session::summariseHeads(const std::shared_ptr<const Analysis>& analysis, Importance importance)
{
    constexpr std::int64_t mostBins = 512; // more than a tile has pixels, until one is looked at alone
    enqueue(Kind::heads, tr("looking at the heads"), [=, this](const Task& task, const auto& job) {
        const auto heads
            = std::make_shared<const HeadSummaries>(summarise_heads(*analysis, importance, mostBins, 0, task.stop));
        announce(job, [=, this] { Q_EMIT headsSummarised(analysis, heads); });
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
