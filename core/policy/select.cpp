#include "core/policy/select.h"

#include "core/policy/policy.h"
#include "core/policy/words.h"

#include <algorithm>
#include <cmath>

namespace keepset::policy {

namespace {

    std::string row_name(const Row& row)
    {
        if (row.layer < 0)
            return "the model's mean";
        return "layer " + std::to_string(row.layer)
            + (row.kv_head < 0 ? std::string("'s mean") : ", kv head " + std::to_string(row.kv_head));
    }

    void check_finite(const Row& row)
    {
        const auto bad
            = std::find_if_not(row.scores.begin(), row.scores.end(), [](float score) { return std::isfinite(score); });
        if (bad != row.scores.end())
            throw Error(ErrorKind::input,
                "The importance at position " + grouped(bad - row.scores.begin()) + " of " + row_name(row)
                    + " is not a finite number, so nothing can be ranked by it.",
                "Try float32: the model may overflow in its dtype.");
    }

    std::int64_t count_kept(std::span<const Label> labels)
    {
        return static_cast<std::int64_t>(labels.size()) - std::count(labels.begin(), labels.end(), Label::evicted);
    }

    /// Share of the attention mass that the labels of all rows keep. `rows.mass` sums to context in every row.
    double kept_mass(const ScoreRows& rows, std::span<const Label> labels)
    {
        double sum = 0;
        for (std::size_t i = 0; i < labels.size(); ++i)
            sum += labels[i] == Label::evicted ? 0.0 : rows.mass[i];
        return sum / static_cast<double>(labels.size());
    }

} // namespace

void label_row(const Policy& policy, const Settings& settings, const Row& row, std::span<Label> labels)
{
    check_finite(row);
    std::fill(labels.begin(), labels.end(), Label::evicted);
    policy.fill(row, settings, labels);
    const std::int64_t kept = count_kept(labels);
    if (kept != row.budget)
        throw Error(ErrorKind::internal,
            policy.info.name + " kept " + grouped(kept) + " positions of " + row_name(row) + " where its budget is "
                + grouped(row.budget) + ".");
}

KeepSet select(const ScoreRows& rows, const SelectRequest& request)
{
    const Policy& policy = find(request.policy.name);
    const Settings settings(policy, request.policy);
    KeepSet result { request, canonical(request.policy), budget_for(policy, request, rows.context), rows.layers,
        rows.kv_heads, rows.context, {}, not_a_number };
    result.request.granularity = rows.reduction.granularity;
    result.request.importance = rows.reduction.importance;
    result.request.gqa = rows.reduction.gqa;

    const auto context = static_cast<std::size_t>(rows.context);
    const auto all = static_cast<std::size_t>(rows.layers * rows.kv_heads);
    const std::size_t sharing = all * context / rows.scores.size(); // rows of the model that share a keep set
    result.labels.resize(all * context);
    for (std::size_t begin = 0; begin < all; begin += sharing) {
        const auto layer = static_cast<std::int64_t>(begin) / rows.kv_heads;
        const Row row { .scores = std::span(rows.scores).subspan(begin / sharing * context, context),
            .budget = result.budget,
            .seed = request.seed,
            .window = request.window,
            .layer = rows.reduction.granularity == Granularity::model ? -1 : layer,
            .kv_head
            = rows.reduction.granularity == Granularity::head ? static_cast<std::int64_t>(begin) % rows.kv_heads : -1 };
        const auto labels = std::span(result.labels).subspan(begin * context, sharing * context);
        label_row(policy, settings, row, labels.first(context));
        for (std::size_t copy = 1; copy < sharing; ++copy)
            std::copy_n(labels.begin(), context, labels.begin() + static_cast<std::ptrdiff_t>(copy * context));
    }
    result.kept_mass = kept_mass(rows, result.labels);
    return result;
}

std::uint64_t hash_of(const KeepSet& keep_set)
{
    // FNV-1a over one byte a position; the constants are those of its definition.
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const Label label : keep_set.labels)
        hash = (hash ^ (label == Label::evicted ? 0U : 1U)) * 0x100000001b3U;
    return hash == 0 ? 1 : hash;
}

std::int64_t kept_entries(const KeepSet& keep_set) { return count_kept(keep_set.labels); }

} // namespace keepset::policy

namespace keepset {

namespace {
    policy::ImportanceView view_of(const Analysis& a)
    {
        return { a.importance, a.layers, a.heads, a.kv_heads, a.context };
    }
} // namespace

KeepSet select(const Analysis& analysis, const SelectRequest& request)
{
    return policy::select(
        policy::score_rows(view_of(analysis), { request.granularity, request.importance, request.gqa }), request);
}

RowScores row_scores(const Analysis& analysis, const Scope& scope, Importance importance, GqaReduction gqa)
{
    return policy::score_scope(view_of(analysis), scope, { Granularity::head, importance, gqa });
}

std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, Importance importance)
{
    return policy::query_head_scores(view_of(analysis), layer, importance);
}

RowSelection select_row(const RowScores& row, const SelectRequest& request)
{
    const policy::Policy& policy = policy::find(request.policy.name);
    const auto context = static_cast<std::int64_t>(row.scores.size());
    RowSelection result { canonical(request.policy), title(request.policy),
        policy::budget_for(policy, request, context), std::vector<Label>(row.scores.size()), {}, 0.0, not_a_number };
    policy::label_row(policy, policy::Settings(policy, request.policy),
        { row.scores, result.budget, request.seed, request.window, row.scope.layer, row.scope.kv_head }, result.labels);
    for (std::size_t j = 0; j < row.scores.size(); ++j) {
        const Label label = result.labels[j];
        ++result.counts[static_cast<std::size_t>(label)];
        if (label == Label::important && !(row.scores[j] >= result.cut_off))
            result.cut_off = row.scores[j];
        if (label != Label::evicted && j < row.mass.size())
            result.kept_mass += row.mass[j];
    }
    result.kept_mass /= static_cast<double>(context);
    return result;
}

double jaccard(std::span<const Label> a, std::span<const Label> b)
{
    if (a.size() != b.size())
        throw Error(ErrorKind::usage,
            "Keep sets of " + grouped(static_cast<std::int64_t>(a.size())) + " and "
                + grouped(static_cast<std::int64_t>(b.size())) + " positions cannot be compared.");
    std::int64_t both = 0;
    std::int64_t either = 0;
    for (std::size_t j = 0; j < a.size(); ++j) {
        const bool in_a = a[j] != Label::evicted;
        const bool in_b = b[j] != Label::evicted;
        both += in_a && in_b ? 1 : 0;
        either += in_a || in_b ? 1 : 0;
    }
    return either == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(either);
}

} // namespace keepset
