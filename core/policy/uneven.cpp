#include "core/policy/uneven.h"

#include "core/error.h"
#include "core/policy/given_scores.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>

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
    const bool chooses = inner.choose != nullptr && !reads_file(inner);
    if (inner.info.ranks_by == ScoreOf::nothing || chooses || inner.fill || ranks_together(Settings(inner, of)))
        throw Error(ErrorKind::usage, outer + ": '" + canonical(of) + "' has no one score to go by.",
            "Name a policy that ranks by a score, such as snapkv.");
}

at::Tensor best_together(
    const at::Tensor& scores, const at::Tensor& ends, const at::Tensor& safe, std::int64_t rows, std::int64_t budget)
{
    const std::int64_t context = scores.size(1);
    const at::Tensor together = scores.masked_fill(safe, std::numeric_limits<float>::max())
                                    .view({ -1, rows, context })
                                    .transpose(1, 2)
                                    .reshape({ -1, context * rows }); // one group a row
    const at::Tensor taken = together.argsort(true, 1, true).slice(1, 0, budget);
    at::Tensor kept = at::zeros_like(together, at::TensorOptions(at::kByte));
    kept.scatter_(1, taken, static_cast<std::int64_t>(Label::important));
    const at::Tensor by_row = kept.view({ -1, context, rows }).transpose(1, 2).reshape({ -1, context });
    return at::where(ends.ne(0).logical_and(by_row.ne(0)), ends, by_row);
}

at::Tensor best_of_all_rows(const Choosing& from, const Settings&)
{
    const Prepared& point = from.point;
    const at::Tensor& scores = from.table.of(point.score);
    const at::Tensor by_row = from.labels(scores, point.plan); // refuses what is not finite
    const at::Tensor ends = by_row.masked_fill(by_row.eq(static_cast<std::int64_t>(Label::important)), 0);
    const std::int64_t rows = scores.size(0);
    std::int64_t budget = point.share.budget * rows;
    if (point.request.rounding == Rounding::kvpress && point.request.budget == 0 && point.pinned.none()) {
        const auto all = static_cast<double>(rows * from.table.context); // kvpress rounds what goes, of all rows
        budget = std::max(ends.ne(0).sum().item<std::int64_t>(),
            rows * from.table.context - static_cast<std::int64_t>(all * point.request.sparsity));
    }
    return best_together(scores, ends, ends.ne(0), rows, budget);
}

} // namespace keepset::policy
