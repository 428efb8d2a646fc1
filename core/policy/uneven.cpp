#include "core/policy/uneven.h"

#include "core/error.h"
#include "core/words.h"

#include <algorithm>

namespace keepset::policy {

Inner::Inner(const Choosing& choosing, const Settings& outer)
    : spec(wrapped(outer))
    , policy(find(spec.name))
    , settings(policy, spec)
    , scores(choosing.table.of(scores_of(spec).empty() ? std::string() : scores_of(spec).front()))
    , from(choosing)
{
}

kernels::SelectPlan Inner::plan(std::int64_t budget) const
{
    kernels::SelectPlan made = Prepared::protected_plan(policy, { budget, from.table.context }, settings);
    const kernels::SelectPlan& outer = from.point.plan;
    made.sinks = std::min(budget, std::max(made.sinks, outer.sinks));
    made.local = std::min(budget - made.sinks, std::max(made.local, outer.local));
    return { .sinks = made.sinks, .local = made.local, .highest = budget - made.sinks - made.local };
}

kernels::SelectPlan Inner::ends(std::int64_t budget) const
{
    kernels::SelectPlan made = plan(budget);
    made.highest = 0;
    return made;
}

std::int64_t Inner::kept_at_the_end() const
{
    return policy.info.ranks_by == ScoreOf::own ? plan(from.table.context).local : 0;
}

void check_inner(const std::string& outer, const Settings& settings)
{
    const PolicySpec of = wrapped(settings);
    const Policy& inner = find(of.name);
    if (inner.info.ranks_by == ScoreOf::nothing || inner.choose != nullptr || inner.fill)
        throw Error(ErrorKind::usage, outer + ": '" + canonical(of) + "' has no one score to go by.",
            "Name a policy that ranks by a score, such as snapkv.");
}

std::string explain_uneven(const Case& of, const std::string& among)
{
    if (of.label == Label::important)
        return "Kept: its score is among the highest " + among + " that " + of.title + " takes.";
    if (of.label == Label::evicted)
        return "Evicted: its score is not among the highest " + among + " that " + of.title + " takes.";
    return {};
}

} // namespace keepset::policy
