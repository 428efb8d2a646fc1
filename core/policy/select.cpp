#include "core/policy/select.h"

#include "core/analysis.h"
#include "core/error.h"
#include "core/policy/choosing.h"
#include "core/policy/own_scores.h"
#include "core/words.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace keepset::policy {

namespace {

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

    void check_kept(const Prepared& point, const Row& row, std::span<const Label> labels)
    {
        const std::int64_t kept = count_kept(labels);
        if (kept != point.budget && !point.policy.info.uneven)
            throw Error(ErrorKind::internal,
                point.policy.info.name + " kept " + grouped(kept) + " positions of " + row_name(row)
                    + " where its budget is " + grouped(point.budget) + ".");
    }

    /// (rows, context), borrowed.
    at::Tensor borrowed(const std::vector<float>& values, std::int64_t context)
    {
        return at::from_blob(const_cast<float*>(values.data()), // only read
            { static_cast<std::int64_t>(values.size()) / context, context }, at::kFloat);
    }

    /// Throws why a score that the policy ranks by could not be made.
    void refuse_missing(
        const PolicySpec& policy, const std::map<std::string, std::pair<std::string, std::string>>& missing)
    {
        for (const std::string& name : scores_of(policy)) {
            if (const auto found = missing.find(name); found != missing.end())
                throw Error(ErrorKind::usage, found->second.first, found->second.second);
        }
    }

    /// What is not finite where one of the points ranks by a score of its own.
    std::string word_of(std::span<const Prepared> points)
    {
        const auto own = [](const Prepared& point) { return point.policy.info.ranks_by == ScoreOf::own; };
        return std::ranges::any_of(points, own) ? "score" : "importance";
    }

    Row row_of(const Scope& scope)
    {
        Row row;
        row.layer = scope.layer;
        row.kv_head = scope.kv_head;
        return row;
    }

    ScoreTable table_of(const RowScores& row, bool whole_layer)
    {
        const auto context = static_cast<std::int64_t>(row.scores.size());
        ScoreTable table { {}, 1, context, {}, row.layers, row.scope.layer };
        if (whole_layer)
            table.kv_heads = static_cast<std::int64_t>(row.layer_rows.begin()->second.size()) / context;
        else
            table.scores.emplace("", borrowed(row.scores, context));
        for (const auto& [name, scores] : whole_layer ? row.layer_rows : row.own)
            table.scores.emplace(name, borrowed(scores, context));
        return table;
    }

    ScoreTable table_of(const ScoreRows& rows)
    {
        ScoreTable table { rows.reduction, rows.kv_heads, rows.context, { { "", borrowed(rows.scores, rows.context) } },
            rows.layers, rows.reduction.granularity == Granularity::model ? -1 : 0 };
        for (const auto& [name, scores] : rows.own)
            table.scores.emplace(name, borrowed(scores, rows.context));
        return table;
    }

    /// RowScores::layer_rows.
    std::map<std::string, std::vector<float>> layer_rows(
        const Analysis& analysis, std::int64_t layer, Importance importance, GqaReduction gqa)
    {
        const ImportanceView view { analysis.importance, analysis.layers, analysis.heads, analysis.kv_heads,
            analysis.context, analysis.windows };
        const auto size = static_cast<std::size_t>(analysis.kv_heads * analysis.context);
        std::map<std::string, std::vector<float>> rows;
        std::vector<float>& own = rows[""];
        for (std::int64_t kv_head = 0; kv_head < analysis.kv_heads; ++kv_head) {
            const RowScores row = score_scope(view, { layer, kv_head }, { Granularity::head, importance, gqa });
            own.insert(own.end(), row.scores.begin(), row.scores.end());
        }
        for (const auto& [name, scores] : analysis.own_scores) {
            const auto first = scores.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(layer) * size);
            rows.emplace(name, std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size)));
        }
        return rows;
    }

    std::int64_t row_count(const ScoreRows& rows)
    {
        return static_cast<std::int64_t>(rows.scores.size()) / rows.context;
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

void refuse_score(const Row& row, std::int64_t position, const std::string& what)
{
    throw Error(ErrorKind::input,
        "The " + what + " at position " + grouped(position) + " of " + row_name(row)
            + " is not a finite number, so nothing can be ranked by it.",
        "Try float32: the model may overflow in its dtype.");
}

std::vector<KeepSet> select(const ScoreRows& rows, std::span<const SelectRequest> requests, const LabelRows& label_rows)
{
    const auto context = static_cast<std::size_t>(rows.context);
    const std::int64_t score_rows = row_count(rows);
    std::vector<Prepared> points;
    points.reserve(requests.size());
    for (const SelectRequest& request : requests)
        points.emplace_back(request, rows.context);
    const Labelling how { carry_out_on_host(label_rows), rows.bridges.get(), nullptr, rows.stop, rows.row_done };
    const Labelled made = label_points(table_of(rows), points, how);
    const auto bad = made.first_bad.item<std::int64_t>();
    if (bad >= 0)
        refuse_score(row_at(rows.reduction, rows.kv_heads, bad / rows.context), bad % rows.context, word_of(points));
    std::vector<KeepSet> sets;
    sets.reserve(points.size());
    for (const Prepared& point : points) {
        KeepSet& set = sets.emplace_back();
        set = { point.request, canonical(point.request.policy), point.budget, rows.layers, rows.kv_heads, rows.context,
            {}, not_a_number };
        set.request.granularity = rows.reduction.granularity;
        set.request.importance = rows.reduction.importance;
        set.request.gqa = rows.reduction.gqa;
        set.labels.resize(rows.mass.size());
        const at::Tensor labels = made.labels[static_cast<std::int64_t>(sets.size()) - 1]; // (score rows, context)
        std::memcpy(set.labels.data(), labels.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(labels.numel()));
        for (std::int64_t row = 0; row < score_rows; ++row)
            check_kept(point, row_at(rows.reduction, rows.kv_heads, row),
                std::span(set.labels).subspan(static_cast<std::size_t>(row) * context, context));
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
        policy::refuse_missing(request.policy, analysis.no_scores);
        const policy::Reduction wanted { request.granularity, request.importance, request.gqa };
        if (!rows || !(rows->reduction == wanted)) {
            rows = policy::score_rows(view_of(analysis), wanted);
            for (const auto& [name, scores] : analysis.own_scores)
                rows->own.emplace(name, policy::shared_rows(scores, view_of(analysis), wanted.granularity));
        }
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
    for (const auto& [name, scores] : analysis.own_scores)
        row.own.emplace(name, policy::mean_of_scope(scores, view_of(analysis), scope));
    row.no_scores = analysis.no_scores;
    row.layers = analysis.layers;
    if (scope.kv_head >= 0)
        row.layer_rows = policy::layer_rows(analysis, scope.layer, importance, gqa);
    return row;
}

std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, Importance importance)
{
    return policy::query_head_scores(view_of(analysis), layer, importance);
}

RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop)
{
    const auto context = static_cast<std::int64_t>(row.scores.size());
    policy::refuse_missing(request.policy, row.no_scores);
    const policy::Prepared point(request, context);
    RowSelection result { canonical(request.policy), title(request.policy), point.budget, {}, {}, 0.0, not_a_number, {},
        {} };
    // One row, whatever it stands for: what tells it from others is given to the fill by the scope.
    const bool whole_layer = point.policy.info.uneven && !row.layer_rows.empty();
    const policy::ScoreTable table = policy::table_of(row, whole_layer);
    policy::Labelling how { policy::carry_out_on_host(
        [](const kernels::SelectInputs& inputs) { return kernels::select_cpu(inputs, 1); }) };
    how.bridges = row.bridges.get();
    how.bridge_scores = &result.bridge_scores;
    how.stop = stop;
    how.scope = row.scope;
    const policy::Labelled made = policy::label_points(table, std::span(&point, 1), how);
    const auto bad = made.first_bad.item<std::int64_t>();
    if (bad >= 0)
        policy::refuse_score(policy::row_of(row.scope), bad, policy::word_of(std::span(&point, 1)));
    const auto* const labels = reinterpret_cast<const Label*>(made.labels.const_data_ptr<std::uint8_t>())
        + (whole_layer ? row.scope.kv_head * context : 0);
    result.labels.assign(labels, labels + context);
    policy::check_kept(point, policy::row_of(row.scope), result.labels);
    if (point.policy.info.uneven)
        result.budget = policy::count_kept(result.labels);
    if (!point.score.empty())
        result.scores = row.own.at(point.score);
    const std::vector<float>& scores = point.score.empty() ? row.scores : result.scores;
    for (std::size_t j = 0; j < row.scores.size(); ++j) {
        const Label label = result.labels[j];
        ++result.counts[static_cast<std::size_t>(label)];
        if (label == Label::important && point.policy.choose == nullptr && !(scores[j] >= result.cut_off))
            result.cut_off = scores[j];
        if (label != Label::evicted && j < row.mass.size())
            result.kept_mass += row.mass[j];
    }
    result.kept_mass /= static_cast<double>(context);
    return result;
}

double kept_a_row(const KeepSet& set)
{
    return static_cast<double>(policy::kept_entries(set)) / static_cast<double>(set.layers * set.kv_heads);
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
