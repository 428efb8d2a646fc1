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
        if (kept != point.budget && point.shares == Sharing::none)
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

    /// Layers of the model that evict.
    std::int64_t layers_of(const RowScores& row)
    {
        return row.evicting.empty() ? row.layers : static_cast<std::int64_t>(row.evicting.size());
    }

    /// Where the layer of a row stands among them; -1: the row is of all.
    std::int64_t layer_place(const RowScores& row)
    {
        if (row.scope.layer < 0 || row.evicting.empty())
            return row.scope.layer;
        return std::ranges::find(row.evicting, row.scope.layer) - row.evicting.begin();
    }

    ScoreTable table_of(const RowScores& row)
    {
        const auto context = static_cast<std::int64_t>(row.scores.size());
        ScoreTable table { {}, 1, context, { { "", borrowed(row.scores, context) } }, layers_of(row), layer_place(row) };
        for (const auto& [name, scores] : row.own)
            table.scores.emplace(name, borrowed(scores, context));
        return table;
    }

    /// Of the rows that share a budget with one of a kv head.
    ScoreTable table_of(const RowScores& row, Sharing sharing)
    {
        const auto context = static_cast<std::int64_t>(row.scores.size());
        const auto shared = row.shared.find(sharing);
        if (shared == row.shared.end())
            throw Error(ErrorKind::internal, "A row was selected from without those that it shares a budget with.");
        const std::int64_t first = sharing == Sharing::model ? 0 : layer_place(row);
        ScoreTable table { {}, 0, context, {}, layers_of(row), first };
        for (const auto& [name, scores] : shared->second)
            table.scores.emplace(name, borrowed(scores, context));
        table.kv_heads = table.rows() / (sharing == Sharing::model ? table.layers : 1);
        return table;
    }

    ScoreTable table_of(const ScoreRows& rows)
    {
        ScoreTable table { rows.reduction, rows.kv_heads, rows.context, { { "", borrowed(rows.scores, rows.context) } },
            rows.layers, rows.reduction.granularity == Granularity::model ? -1 : 0, rows.evicting, rows.layers };
        if (!rows.evicting.empty())
            table.layers = static_cast<std::int64_t>(rows.evicting.size());
        for (const auto& [name, scores] : rows.own)
            table.scores.emplace(name, borrowed(scores, rows.context));
        return table;
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
    std::vector<Prepared> points;
    points.reserve(requests.size());
    for (const SelectRequest& request : requests)
        points.emplace_back(request, rows.context);
    const Labelling how { carry_out_on_host(label_rows), rows.bridges.get(), nullptr, rows.stop, rows.row_done };
    const Labelled made = label_points(table_of(rows), points, how);
    const auto bad = made.first_bad.item<std::int64_t>();
    if (bad >= 0)
        refuse_score(row_at(rows.reduction, rows.kv_heads, bad / rows.context, rows.evicting), bad % rows.context,
            word_of(points));
    std::vector<KeepSet> sets;
    sets.reserve(points.size());
    for (const Prepared& point : points) {
        KeepSet& set = sets.emplace_back();
        set = { point.request, canonical(point.request.policy), point.budget, rows.layers, rows.kv_heads, rows.context,
            {}, not_a_number, rows.evicting };
        set.request.granularity = rows.reduction.granularity;
        set.request.importance = rows.reduction.importance;
        set.request.gqa = rows.reduction.gqa;
        set.request.sliding = rows.reduction.sliding;
        set.labels.resize(rows.mass.size());
        const at::Tensor labels = made.labels[static_cast<std::int64_t>(sets.size()) - 1]; // (score rows, context)
        std::memcpy(set.labels.data(), labels.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(labels.numel()));
        const auto labelled = static_cast<std::size_t>(labels.size(0));
        for (std::size_t row = 0; row < labelled; ++row) {
            const Row of = row_at(rows.reduction, rows.kv_heads, static_cast<std::int64_t>(row), {});
            if (set.evicts(of.layer))
                check_kept(point, of, std::span(set.labels).subspan(row * context, context));
        }
        repeat_shared(set.labels, labelled, context);
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
        const policy::Reduction wanted { request.granularity, request.importance, request.gqa, request.sliding };
        if (!rows || !(rows->reduction == wanted)) {
            rows = policy::score_rows(view_of(analysis), wanted);
            for (const auto& [name, scores] : analysis.own_scores)
                rows->own.emplace(
                    name, policy::shared_rows(scores, view_of(analysis), wanted.granularity, rows->evicting));
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

RowScores row_scores(
    const Analysis& analysis, const Scope& scope, Importance importance, GqaReduction gqa, Sliding sliding)
{
    RowScores row = policy::score_scope(view_of(analysis), scope, { Granularity::head, importance, gqa, sliding });
    row.evicting = policy::evicting_layers(analysis.windows, analysis.context, sliding);
    row.bridges = analysis.bridges;
    for (const auto& [name, scores] : analysis.own_scores)
        row.own.emplace(name, policy::mean_of_scope(scores, view_of(analysis), scope, row.evicting));
    row.no_scores = analysis.no_scores;
    row.layers = analysis.layers;
    return row;
}

void add_shared_rows(const Analysis& analysis, const PolicySpec& policy, RowScores& row)
{
    const Sharing sharing = sharing_of(policy);
    if (sharing == Sharing::none || row.scope.kv_head < 0 || row.slides())
        return;
    std::vector<std::int64_t> layers { row.scope.layer };
    if (sharing == Sharing::model) {
        layers = row.evicting;
        for (std::int64_t layer = 0; row.evicting.empty() && layer < row.layers; ++layer)
            layers.push_back(layer);
    }
    auto& rows = row.shared[sharing];
    const std::vector<std::string> names = scores_of(policy);
    const std::int64_t size = analysis.kv_heads * analysis.context;
    for (const std::string& name : names) {
        const auto own = analysis.own_scores.find(name);
        if (own == analysis.own_scores.end() || rows.contains(name))
            continue;
        std::vector<float>& scores = rows[name];
        scores.reserve(layers.size() * static_cast<std::size_t>(size));
        for (const std::int64_t layer : layers) {
            const auto first = own->second.begin() + layer * size;
            scores.insert(scores.end(), first, first + size);
        }
    }
    if (!names.empty() || rows.contains(""))
        return;
    std::vector<float>& importance = rows[""];
    importance.reserve(layers.size() * static_cast<std::size_t>(size));
    for (const std::int64_t layer : layers) {
        for (std::int64_t kv_head = 0; kv_head < analysis.kv_heads; ++kv_head) {
            const RowScores other = policy::score_scope(
                view_of(analysis), { layer, kv_head }, { Granularity::head, row.importance, row.gqa, Sliding::evict });
            importance.insert(importance.end(), other.scores.begin(), other.scores.end());
        }
    }
}

std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, Importance importance)
{
    return policy::query_head_scores(view_of(analysis), layer, importance);
}

bool RowScores::slides() const
{
    return scope.layer >= 0 && !evicting.empty() && std::ranges::find(evicting, scope.layer) == evicting.end();
}

bool KeepSet::evicts(std::int64_t layer) const
{
    return evicting.empty() || std::ranges::find(evicting, layer) != evicting.end();
}

namespace {

    /// Of a layer that slides and keeps everything.
    RowSelection kept_whole(const RowScores& row, const SelectRequest& request)
    {
        RowSelection result { canonical(request.policy), title(request.policy),
            static_cast<std::int64_t>(row.scores.size()), std::vector<Label>(row.scores.size(), Label::kept), {}, 1.0,
            not_a_number, {}, {} };
        result.counts[static_cast<std::size_t>(Label::kept)] = result.budget;
        return result;
    }

} // namespace

RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop)
{
    const auto context = static_cast<std::int64_t>(row.scores.size());
    policy::refuse_missing(request.policy, row.no_scores);
    const policy::Prepared point(request, context);
    if (row.slides())
        return kept_whole(row, request);
    RowSelection result { canonical(request.policy), title(request.policy), point.budget, {}, {}, 0.0, not_a_number, {},
        {} };
    // One row, whatever it stands for: what tells it from others is given to the fill by the scope.
    const bool shared = point.shares != Sharing::none && row.scope.kv_head >= 0;
    const policy::ScoreTable table = shared ? policy::table_of(row, point.shares) : policy::table_of(row);
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
        + (shared ? ((policy::layer_place(row) - table.first_layer) * table.kv_heads + row.scope.kv_head) * context : 0);
    result.labels.assign(labels, labels + context);
    policy::check_kept(point, policy::row_of(row.scope), result.labels);
    if (point.shares != Sharing::none)
        result.budget = policy::count_kept(result.labels);
    if (!point.score.empty())
        result.scores = row.own.at(point.score);
    const std::vector<float>& scores = point.score.empty() ? row.scores : result.scores;
    for (std::size_t j = 0; j < row.scores.size(); ++j) {
        const Label label = result.labels[j];
        ++result.counts[static_cast<std::size_t>(label)];
        if (label == Label::important && point.choose == nullptr && !(scores[j] >= result.cut_off))
            result.cut_off = scores[j];
        if (label != Label::evicted && j < row.mass.size())
            result.kept_mass += row.mass[j];
    }
    result.kept_mass /= static_cast<double>(context);
    return result;
}

double kept_a_row(const KeepSet& set)
{
    if (set.evicting.empty())
        return static_cast<double>(policy::kept_entries(set)) / static_cast<double>(set.layers * set.kv_heads);
    const auto rows = static_cast<std::int64_t>(set.evicting.size()) * set.kv_heads;
    const std::int64_t whole = (set.layers * set.kv_heads - rows) * set.context;
    return static_cast<double>(policy::kept_entries(set) - whole) / static_cast<double>(rows);
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
