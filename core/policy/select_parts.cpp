#include "core/policy/select_parts.h"

#include "core/analysis.h"
#include "core/attention/last_importance.h"
#include "core/error.h"
#include "core/keep_counts.h"
#include "core/words.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>

namespace keepset::policy {

ImportanceView view_of(const Analysis& a, const Importance& importance)
{
    ImportanceView view { a.importance, a.layers, a.heads, a.kv_heads, a.context, a.windows };
    view.held = importance_of(a, importance);
    if (view.held)
        view.ranked = *view.held;
    return view;
}

at::Tensor borrowed_rows(const std::vector<float>& values, std::int64_t context)
{
    return at::from_blob(const_cast<float*>(values.data()), // only read
        { static_cast<std::int64_t>(values.size()) / context, context }, at::kFloat);
}

std::int64_t count_kept(std::span<const Label> labels)
{
    return static_cast<std::int64_t>(labels.size()) - label_counts(labels)[static_cast<std::size_t>(Label::evicted)];
}

/// Four sums in turns, which do not wait for each other.
double mass_of(std::span<const Label> labels, std::span<const double> mass)
{
    std::array<double, 4> sums {};
    // A product, because a choice is a branch that nobody can foresee.
    const auto kept = [&](std::size_t i) { return mass[i] * (labels[i] == Label::evicted ? 0.0 : 1.0); };
    std::size_t i = 0;
    for (; i + sums.size() <= labels.size(); i += sums.size()) {
        for (std::size_t turn = 0; turn < sums.size(); ++turn)
            sums[turn] += kept(i + turn);
    }
    for (; i < labels.size(); ++i)
        sums[i % sums.size()] += kept(i);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void refuse_missing(const PolicySpec& policy, const std::map<std::string, std::pair<std::string, std::string>>& missing)
{
    for (const std::string& name : scores_of(policy)) {
        if (const auto found = missing.find(name); found != missing.end())
            throw Error(ErrorKind::usage, found->second.first, found->second.second);
    }
}

std::string word_of(std::span<const Prepared> points)
{
    const auto own = [](const Prepared& point) { return point.policy.info.ranks_by == ScoreOf::own; };
    return std::ranges::any_of(points, own) ? "score" : "importance";
}

void check_kept(const Prepared& point, const Row& row, std::span<const Label> labels)
{
    const std::int64_t kept = count_kept(labels);
    if (kept != point.budget && point.shares == Sharing::none)
        throw Error(ErrorKind::internal,
            point.policy.info.name + " kept " + grouped(kept) + " positions of " + row_name(row)
                + " where its budget is " + grouped(point.budget) + ".");
}

void refuse_score(const Row& row, std::int64_t position, const std::string& what)
{
    throw Error(ErrorKind::input,
        "The " + what + " at position " + grouped(position) + " of " + row_name(row)
            + " is not a finite number, so nothing can be ranked by it.",
        "Try float32: the model may overflow in its dtype.");
}

} // namespace keepset::policy
