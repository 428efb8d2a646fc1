#include "core/policy/select.h"

#include "core/analysis.h"
#include "core/error.h"
#include "core/keep_file.h"
#include "core/policy/choosing.h"
#include "core/policy/given_scores.h"
#include "core/policy/own_scores.h"
#include "core/policy/select_parts.h"
#include "core/words.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace keepset::policy {

namespace {

    ScoreTable table_of(const ScoreRows& rows)
    {
        ScoreTable table { rows.reduction, rows.kv_heads, rows.context,
            { { "", borrowed_rows(rows.scores, rows.context) } }, rows.layers,
            rows.reduction.granularity == Granularity::model ? -1 : 0, rows.evicting, rows.layers };
        if (!rows.evicting.empty())
            table.layers = static_cast<std::int64_t>(rows.evicting.size());
        for (const auto& [name, scores] : rows.own)
            table.scores.emplace(name, borrowed_rows(scores, rows.context));
        return table;
    }

    /// A keep set from a file is what it is, whatever was asked for.
    void say_own_counts(KeepSet& set)
    {
        const double kept = kept_a_row(set);
        set.budget = static_cast<std::int64_t>(kept);
        set.request.budget = 0;
        set.request.sparsity = 1 - kept / static_cast<double>(set.context);
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
        if (rows.own.contains(keep_sets_of(point.score)))
            say_own_counts(set);
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
            rows = policy::score_rows(policy::view_of(analysis, wanted.importance), wanted);
            for (const auto& [name, scores] : analysis.own_scores)
                rows->own.emplace(
                    name, policy::shared_rows(scores, policy::view_of(analysis), wanted.granularity, rows->evicting));
        }
        policy::add_given(*rows, analysis, request.policy);
        rows->bridges = analysis.bridges;
        rows->stop = task.stop;
        rows->row_done = nullptr;
        if (task.progress && needs_attention(request.policy))
            rows->row_done = telling(task);
        sets.push_back(policy::select(*rows, request, threads > 0 ? threads : all));
        if (const auto files = hashes_of({ request.policy }, task.stop); !files.empty())
            sets.back().file_sha256 = files.front().sha256;
        if (task.progress && requests.size() > 1)
            task.progress({ "selecting", "keep sets", static_cast<std::int64_t>(sets.size()),
                static_cast<std::int64_t>(requests.size()), 0, not_a_number });
    }
    return sets;
}

std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, const Importance& importance)
{
    return policy::query_head_scores(policy::view_of(analysis, importance), layer, importance);
}

bool KeepSet::evicts(std::int64_t layer) const
{
    return evicting.empty() || std::ranges::find(evicting, layer) != evicting.end();
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
    if (a.size() != b.size())
        memberships(a, b); // says so
    std::int64_t both = 0;
    std::int64_t either = 0;
    constexpr std::size_t part = 128; // whose counts fit into a byte, so that many are looked at in a step
    for (std::size_t begin = 0; begin < a.size(); begin += part) {
        std::uint8_t in_both = 0;
        std::uint8_t in_either = 0;
        for (std::size_t j = begin; j < std::min(begin + part, a.size()); ++j) {
            const auto in_a = static_cast<std::uint8_t>(a[j] != Label::evicted);
            const auto in_b = static_cast<std::uint8_t>(b[j] != Label::evicted);
            in_both = static_cast<std::uint8_t>(in_both + (in_a & in_b));
            in_either = static_cast<std::uint8_t>(in_either + (in_a | in_b));
        }
        both += in_both;
        either += in_either;
    }
    return either == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(either);
}

} // namespace keepset
