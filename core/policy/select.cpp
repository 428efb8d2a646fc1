#include "core/policy/select.h"

#include "core/analysis.h"
#include "core/error.h"
#include "core/policy/prepared.h"
#include "core/words.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

namespace keepset::policy {

namespace {

    std::string row_name(const Row& row)
    {
        if (row.layer < 0)
            return "the model's mean";
        return "layer " + std::to_string(row.layer)
            + (row.kv_head < 0 ? std::string("'s mean") : ", kv head " + std::to_string(row.kv_head));
    }

    std::int64_t count_kept(std::span<const Label> labels)
    {
        return static_cast<std::int64_t>(labels.size()) - std::count(labels.begin(), labels.end(), Label::evicted);
    }

    /// Sum of `mass` where a label keeps it; four sums in turns, which do not wait for each other.
    double mass_of(std::span<const Label> labels, std::span<const double> mass)
    {
        std::array<double, 4> sums {};
        for (std::size_t i = 0; i < labels.size(); ++i)
            sums[i % sums.size()] += labels[i] == Label::evicted ? 0.0 : mass[i];
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }

    /// What the plan leaves to do on a row; checks that exactly the budget is kept.
    void finish(const Prepared& prepared, const Row& row, std::span<Label> labels)
    {
        if (prepared.policy.fill)
            prepared.policy.fill(row, prepared.settings, labels);
        const std::int64_t kept = count_kept(labels);
        if (kept != prepared.budget)
            throw Error(ErrorKind::internal,
                prepared.policy.info.name + " kept " + grouped(kept) + " positions of " + row_name(row)
                    + " where its budget is " + grouped(prepared.budget) + ".");
    }

    /// The plan of a request whose labels go to `labels` (rows, context).
    kernels::SelectPlan plan_into(const Prepared& prepared, std::vector<Label>& labels)
    {
        kernels::SelectPlan plan = prepared.plan;
        plan.labels = reinterpret_cast<std::uint8_t*>(labels.data());
        return plan;
    }

    std::int64_t row_count(const ScoreRows& rows)
    {
        return static_cast<std::int64_t>(rows.scores.size()) / rows.context;
    }

    /// Row `index` of the scores, which several rows of the model may share.
    Row row_at(const ScoreRows& rows, std::int64_t index, const SelectRequest& request, std::int64_t budget)
    {
        const auto context = static_cast<std::size_t>(rows.context);
        Row row = policy::row_at(rows.reduction, rows.kv_heads, index);
        row.scores = std::span(rows.scores).subspan(static_cast<std::size_t>(index) * context, context);
        row.budget = budget;
        row.seed = request.seed;
        row.window = request.window;
        row.bridges = rows.bridges.get();
        row.stop = rows.stop;
        return row;
    }

    /// From one row of labels a row of scores, in front, to one a row of the model.
    void repeat_shared(std::vector<Label>& labels, std::size_t rows, std::size_t context)
    {
        const std::size_t sharing = labels.size() / (rows * context);
        for (std::size_t index = rows; sharing > 1 && index-- > 0;) {
            const auto from = labels.begin() + static_cast<std::ptrdiff_t>(index * context);
            for (std::size_t copy = sharing; copy-- > 0;) {
                const std::size_t to = index * sharing + copy;
                if (to != index)
                    std::copy_n(from, context, labels.begin() + static_cast<std::ptrdiff_t>(to * context));
            }
        }
    }

} // namespace

void refuse_score(const Row& row, std::int64_t position)
{
    throw Error(ErrorKind::input,
        "The importance at position " + grouped(position) + " of " + row_name(row)
            + " is not a finite number, so nothing can be ranked by it.",
        "Try float32: the model may overflow in its dtype.");
}

std::vector<KeepSet> select(const ScoreRows& rows, std::span<const SelectRequest> requests, const LabelRows& label_rows)
{
    const auto context = static_cast<std::size_t>(rows.context);
    const std::int64_t score_rows = row_count(rows);
    std::vector<Prepared> prepared;
    std::vector<KeepSet> sets;
    std::vector<kernels::SelectPlan> plans;
    for (const SelectRequest& request : requests) {
        prepared.emplace_back(request, rows.context);
        KeepSet& set = sets.emplace_back();
        set = { request, canonical(request.policy), prepared.back().budget, rows.layers, rows.kv_heads, rows.context,
            {}, not_a_number };
        set.request.granularity = rows.reduction.granularity;
        set.request.importance = rows.reduction.importance;
        set.request.gqa = rows.reduction.gqa;
        set.labels.resize(rows.mass.size());
        plans.push_back(plan_into(prepared.back(), set.labels));
    }
    const std::int64_t bad = label_rows(
        { rows.scores.data(), score_rows, rows.context, plans.data(), static_cast<std::int64_t>(plans.size()) });
    if (bad >= 0)
        refuse_score(row_at(rows, bad / rows.context, {}, 0), bad % rows.context);
    for (std::size_t index = 0; index < sets.size(); ++index) {
        KeepSet& set = sets[index];
        for (std::int64_t row = 0; row < score_rows; ++row) {
            finish(prepared[index], row_at(rows, row, set.request, set.budget),
                std::span(set.labels).subspan(static_cast<std::size_t>(row) * context, context));
            if (rows.row_done)
                rows.row_done(row + 1, score_rows);
        }
        repeat_shared(set.labels, static_cast<std::size_t>(score_rows), context);
        set.kept_mass = mass_of(set.labels, rows.mass) / static_cast<double>(set.labels.size());
    }
    return sets;
}

KeepSet select(const ScoreRows& rows, const SelectRequest& request, int threads)
{
    return std::move(select(rows, std::span(&request, 1), [threads](const kernels::SelectInputs& inputs) {
        return kernels::select_cpu(inputs, threads);
    }).front());
}

std::uint64_t hash_of(const KeepSet& keep_set)
{
    std::uint64_t hash = 0;
    for (std::size_t index = 0; index < keep_set.labels.size(); ++index) {
        if (keep_set.labels[index] != Label::evicted)
            hash += kernels::place_hash(0, keep_set.context, static_cast<std::int64_t>(index));
    }
    return hash == 0 ? 1 : hash;
}

std::int64_t kept_entries(const KeepSet& keep_set) { return count_kept(keep_set.labels); }

} // namespace keepset::policy

namespace keepset {

namespace {
    policy::ImportanceView view_of(const Analysis& a)
    {
        return { a.importance, a.layers, a.heads, a.kv_heads, a.context, a.windows };
    }

    /// Tells a task of rows from now on.
    auto telling(const Task& task)
    {
        return [&task, begin = std::chrono::steady_clock::now()](std::int64_t done, std::int64_t all) {
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
            task.progress({ "finding bridges", "rows", done, all, elapsed,
                elapsed * static_cast<double>(all - done) / static_cast<double>(done) });
        };
    }
} // namespace

KeepSet select(const Analysis& analysis, const SelectRequest& request, int threads, const Task& task)
{
    return std::move(select(analysis, std::span(&request, 1), threads, task).front());
}

std::vector<KeepSet> select(
    const Analysis& analysis, std::span<const SelectRequest> requests, int threads, const Task& task)
{
    const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    std::optional<policy::ScoreRows> rows;
    std::vector<KeepSet> sets;
    for (const SelectRequest& request : requests) {
        if (task.stop.stop_requested())
            throw Cancelled {};
        const policy::Reduction wanted { request.granularity, request.importance, request.gqa };
        if (!rows || !(rows->reduction == wanted))
            rows = policy::score_rows(view_of(analysis), wanted);
        rows->bridges = analysis.bridges;
        rows->stop = task.stop;
        rows->row_done = nullptr;
        if (task.progress && needs_attention(request.policy))
            rows->row_done = telling(task);
        sets.push_back(policy::select(*rows, request, threads > 0 ? threads : all));
        if (task.progress && requests.size() > 1)
            task.progress({ "selecting", "keep sets", static_cast<std::int64_t>(sets.size()),
                static_cast<std::int64_t>(requests.size()), 0, not_a_number });
    }
    return sets;
}

RowScores row_scores(const Analysis& analysis, const Scope& scope, Importance importance, GqaReduction gqa)
{
    RowScores row = policy::score_scope(view_of(analysis), scope, { Granularity::head, importance, gqa });
    row.bridges = analysis.bridges;
    return row;
}

std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, Importance importance)
{
    return policy::query_head_scores(view_of(analysis), layer, importance);
}

RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop)
{
    const auto context = static_cast<std::int64_t>(row.scores.size());
    const policy::Prepared prepared(request, context);
    RowSelection result { canonical(request.policy), title(request.policy), prepared.budget,
        std::vector<Label>(row.scores.size()), {}, 0.0, not_a_number, {} };
    const policy::Row scores { row.scores, result.budget, request.seed, request.window, row.scope.layer,
        row.scope.kv_head, row.bridges.get(), &result.bridge_scores, stop };
    const kernels::SelectPlan plan = policy::plan_into(prepared, result.labels);
    const std::int64_t bad = kernels::select_cpu({ row.scores.data(), 1, context, &plan, 1 }, 1);
    if (bad >= 0)
        policy::refuse_score(scores, bad);
    policy::finish(prepared, scores, result.labels);
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

std::vector<Membership> memberships(std::span<const Label> a, std::span<const Label> b)
{
    if (a.size() != b.size())
        throw Error(ErrorKind::usage,
            "Keep sets of " + grouped(static_cast<std::int64_t>(a.size())) + " and "
                + grouped(static_cast<std::int64_t>(b.size())) + " positions cannot be compared.");
    std::vector<Membership> all(a.size(), Membership::neither);
    for (std::size_t j = 0; j < a.size(); ++j) {
        const bool in_a = a[j] != Label::evicted;
        const bool in_b = b[j] != Label::evicted;
        if (in_a || in_b)
            all[j] = in_a && in_b ? Membership::both : (in_a ? Membership::only_a : Membership::only_b);
    }
    return all;
}

double jaccard(std::span<const Label> a, std::span<const Label> b)
{
    const std::vector<Membership> all = memberships(a, b);
    const auto both = static_cast<double>(std::ranges::count(all, Membership::both));
    const auto neither = std::ranges::count(all, Membership::neither);
    const auto either = static_cast<double>(static_cast<std::ptrdiff_t>(all.size()) - neither);
    return either == 0 ? 1.0 : both / either;
}

} // namespace keepset
