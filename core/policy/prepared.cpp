#include "core/policy/prepared.h"

#include "core/policy/given_scores.h"

#include <algorithm>

namespace keepset::policy {

Pinned::Pinned(std::span<const Pin> pins, std::int64_t context)
{
    if (pins.empty())
        return;
    enum class Mark : std::uint8_t { none, stays, goes };
    std::vector<Mark> marks(static_cast<std::size_t>(context), Mark::none);
    for (const Pin& pin : pins) { // a later one rules
        const std::int64_t begin = std::clamp<std::int64_t>(pin.begin, 0, context);
        const std::int64_t end = std::clamp<std::int64_t>(pin.end, begin, context);
        std::fill(marks.begin() + begin, marks.begin() + end, pin.stays ? Mark::stays : Mark::goes);
    }
    for (std::int64_t position = 0; position < context; ++position) {
        const Mark mark = marks[static_cast<std::size_t>(position)];
        (mark == Mark::none ? free : mark == Mark::stays ? stay : go).push_back(static_cast<std::int32_t>(position));
    }
}

kernels::SelectPlan Prepared::protected_plan(const Policy& policy, const Share& share, const Settings& settings)
{
    kernels::SelectPlan plan = policy.plan ? policy.plan(share, settings) : kernels::SelectPlan {};
    if (!policy.evicts)
        return plan;
    const std::int64_t before = plan.sinks + plan.local;
    plan.sinks = std::min(share.budget, std::max(plan.sinks, settings.count("sink")));
    plan.local
        = std::min(share.budget - plan.sinks, std::max(plan.local, settings.share_or_count("recent", share.budget)));
    // What is protected comes off the ranking, the middling scores last.
    std::int64_t more = plan.sinks + plan.local - before;
    for (std::int64_t* const part : { &plan.highest, &plan.median }) {
        const std::int64_t taken = std::clamp<std::int64_t>(more, 0, *part);
        *part -= taken;
        more -= taken;
    }
    return plan;
}

Prepared::Prepared(const SelectRequest& from, std::int64_t context)
    : Prepared(find(from.policy.name), from, context)
{
}

Prepared::Prepared(const Policy& of, const SelectRequest& from, std::int64_t context)
    : request(from)
    , policy(of)
    , settings(policy, from.policy)
    , shares(ranks_together(settings) ? Sharing::model : policy.info.shares)
    , choose(ranks_together(settings) && !reads_file(policy) ? best_of_all_rows : policy.choose)
    , score(reads_file(policy) || (policy.has_own_score() && policy.choose == nullptr) ? score_name(from.policy)
                                                                                       : std::string())
    , budget(budget_for(policy, from, context))
    , pinned(from.pins, context)
    , share { budget, context }
{
    if (!pinned.none()) {
        const auto free = static_cast<std::int64_t>(pinned.free.size());
        share.context = free;
        share.budget = std::clamp<std::int64_t>(budget - static_cast<std::int64_t>(pinned.stay.size()), 0, free);
    }
    plan = protected_plan(policy, share, settings);
}

std::string row_name(const Row& row)
{
    if (row.layer < 0)
        return "the model's mean";
    return "layer " + std::to_string(row.layer)
        + (row.kv_head < 0 ? std::string("'s mean") : ", kv head " + std::to_string(row.kv_head));
}

} // namespace keepset::policy
