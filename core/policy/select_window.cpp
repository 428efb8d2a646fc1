#include "core/policy/select_window.h"

#include "core/device/streams.h"
#include "core/device/tensors.h"
#include "core/error.h"
#include "core/policy/given_scores.h"
#include "core/policy/own_scores.h"
#include "core/words.h"
#include "kernels/ops/score_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

namespace keepset::policy {

namespace {

    using kernels::KeptFacts;

    /// Points are selected for together, up to as many labels as still let a stop be answered soon.
    constexpr std::int64_t labels_at_once = std::int64_t { 1 } << 24U;

    /// On the device of the scores.
    CarryOut carry_out_there(const Backend& backend)
    {
        return [&backend](const at::Tensor& scores, std::span<const kernels::SelectPlan> plans) {
            if (!scores.is_cuda())
                return carry_out_on_host([&backend](const kernels::SelectInputs& inputs) {
                    return kernels::select_cpu(inputs, backend.threads);
                })(scores, plans);
            const c10::DeviceGuard guard(scores.device());
            const kernels::SelectInputs inputs { scores.const_data_ptr<float>(), scores.size(0), scores.size(1),
                plans.data(), static_cast<std::int64_t>(plans.size()) };
            at::Tensor first_bad = at::empty({}, scores.options().dtype(at::kLong));
            backend.cuda->select(
                inputs, first_bad.mutable_data_ptr<std::int64_t>(), current_stream(first_bad.device()));
            return first_bad;
        };
    }

    /// How many points from the first on rank by the same and are labelled together.
    std::size_t alike(const WindowScores& scores, std::span<const Prepared> points)
    {
        const auto together = static_cast<std::size_t>(
            std::max<std::int64_t>(1, labels_at_once / std::max<std::int64_t>(1, scores.rows() * scores.context())));
        const Prepared& first = points.front();
        std::size_t count = 1;
        if (first.shares != Sharing::none)
            return count;
        while (count < std::min(together, points.size()) && points[count].score == first.score
            && points[count].choose == first.choose)
            ++count;
        return count;
    }

    /// Counts the positions that the labels of some points keep in each of the model's rows; waits for a GPU once.
    void count_rows(
        const std::map<std::size_t, Labelled>& labelled, std::int64_t rows, std::vector<PointCounts>& counts)
    {
        if (labelled.empty())
            return;
        std::vector<at::Tensor> sums; // (label rows) each
        sums.reserve(labelled.size());
        for (const auto& [point, made] : labelled)
            sums.push_back(made.labels[0].ne(0).sum(1));
        const at::Tensor kept = at::stack(sums).cpu(); // (points, label rows) int64
        const auto* value = kept.const_data_ptr<std::int64_t>();
        for (const auto& [point, made] : labelled) {
            for (std::int64_t row = 0; row < kept.size(1); ++row, ++value)
                counts[point].rows.insert(
                    counts[point].rows.end(), static_cast<std::size_t>(rows / kept.size(1)), *value);
        }
    }

    /// Lists labels (points, score rows, context) as positions from `starts` (points, rows) on. Returns facts (points,
    /// rows · sizeof(KeptFacts)). `ranked` (score rows, context): by what the points rank; undefined: ties are not
    /// looked for.
    at::Tensor list(const WindowScores& scores, const at::Tensor& labels, const at::Tensor& starts,
        const at::Tensor& positions, const at::Tensor& ranked, const Backend& backend)
    {
        kernels::KeptRowsInputs inputs;
        inputs.labels = labels.const_data_ptr<std::uint8_t>();
        inputs.scores = ranked.defined() ? ranked.const_data_ptr<float>() : nullptr;
        inputs.mass = scores.mass.const_data_ptr<double>();
        inputs.plans = labels.size(0);
        inputs.score_rows = labels.size(1);
        inputs.sharing = scores.rows() / labels.size(1);
        inputs.context = scores.context();
        inputs.starts = starts.const_data_ptr<std::int64_t>();
        inputs.end = positions.numel();
        at::Tensor facts = at::empty(
            { labels.size(0), scores.rows() * static_cast<std::int64_t>(sizeof(KeptFacts)) }, labels.options());
        auto* const out = reinterpret_cast<KeptFacts*>(facts.mutable_data_ptr<std::uint8_t>());
        auto* const to = positions.mutable_data_ptr<std::int32_t>();
        if (labels.is_cuda()) {
            const c10::DeviceGuard guard(labels.device());
            backend.cuda->kept_rows(inputs, to, out, current_stream(labels.device()));
        } else {
            kernels::kept_rows_cpu(inputs, to, out, backend.threads);
        }
        return facts;
    }

    /// Where some layers do not evict: scores of those that do, mass of all.
    WindowScores scores_of_some(const PassScores& pass, const Reduction& reduction,
        const std::vector<std::int64_t>& evicting, const Backend& backend)
    {
        const at::Tensor which = to_device(evicting, pass.importance.device());
        const at::Tensor importance = pass.importance.index_select(0, which);
        std::vector<std::int64_t> windows;
        windows.reserve(evicting.size());
        for (const std::int64_t layer : evicting)
            windows.push_back(pass.windows[static_cast<std::size_t>(layer)]);
        PassScores some { importance, {}, pass.kv_heads, windows };
        for (const auto& [name, own] : pass.own)
            some.own.emplace(name, own.index_select(0, which));
        if (pass.ranked.defined())
            some.ranked = pass.ranked.index_select(0, which);
        Reduction all = reduction;
        all.sliding = Sliding::evict;
        WindowScores found = window_scores(some, all, backend);
        found.mass = window_scores({ pass.importance, {}, pass.kv_heads, pass.windows },
            { Granularity::model, Importance::cumulative, reduction.gqa, Sliding::evict }, backend)
                         .mass;
        found.layers = pass.importance.size(0);
        found.table.reduction = reduction;
        found.table.evicting = evicting;
        found.table.all_layers = found.layers;
        return found;
    }

} // namespace

ScoreRows WindowScores::on_host() const
{
    const auto here = [](const at::Tensor& scores) {
        const at::Tensor host = scores.cpu().contiguous();
        return std::vector<float>(host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
    };
    ScoreRows found { table.reduction, layers, table.kv_heads, table.context, {}, {} };
    found.evicting = table.evicting;
    for (const auto& [name, scores] : table.scores)
        (name.empty() ? found.scores : found.own[name]) = here(scores);
    found.mass.assign(static_cast<std::size_t>(rows() * table.context), 0.0);
    return found;
}

bool WindowScores::evicts(std::int64_t row) const
{
    const auto& layers_that = table.evicting;
    return layers_that.empty() || std::ranges::find(layers_that, row / table.kv_heads) != layers_that.end();
}

WindowScores window_scores(const PassScores& pass, const Reduction& reduction, const Backend& backend)
{
    const std::vector<std::int64_t> evicting
        = evicting_layers(pass.windows, pass.importance.size(2), reduction.sliding);
    if (!evicting.empty())
        return scores_of_some(pass, reduction, evicting, backend);
    const at::Tensor all = pass.importance.contiguous(); // (layers, heads, context)
    WindowScores found { all.size(0), { reduction, pass.kv_heads, all.size(2), {} }, {} };
    found.table.layers = all.size(0);
    found.table.first_layer = reduction.granularity == Granularity::model ? -1 : 0;
    // Of the view only addresses are taken, wherever they lie.
    ImportanceView view { { all.const_data_ptr<float>(), static_cast<std::size_t>(all.numel()) }, found.layers,
        all.size(1), pass.kv_heads, all.size(2) };
    at::Tensor seen; // (layers)
    if (!pass.windows.empty() && reduction.importance == Importance::mean_received) {
        seen = to_device(pass.windows, all.device());
        view.windows = { seen.const_data_ptr<std::int64_t>(), pass.windows.size() };
    }
    if ((reduction.importance.last_queries() > 0) != pass.ranked.defined())
        throw Error(ErrorKind::internal,
            "A pass and importance '" + name_of(reduction.importance) + "' do not fit one another.");
    const at::Tensor ranked = pass.ranked.defined() ? pass.ranked.contiguous() : pass.ranked;
    if (ranked.defined())
        view.ranked = { ranked.const_data_ptr<float>(), static_cast<std::size_t>(ranked.numel()) };
    const kernels::ScoreRowsInputs inputs = score_rows_inputs(view, reduction);
    at::Tensor scores = at::empty({ found.rows() / inputs.together, found.context() }, all.options());
    found.mass = at::empty({ found.rows(), found.context() }, all.options().dtype(at::kDouble));
    if (all.is_cuda()) {
        const c10::DeviceGuard guard(all.device());
        backend.cuda->score_rows(inputs, scores.mutable_data_ptr<float>(), found.mass.mutable_data_ptr<double>(),
            current_stream(all.device()));
    } else {
        kernels::score_rows_cpu(
            inputs, scores.mutable_data_ptr<float>(), found.mass.mutable_data_ptr<double>(), backend.threads);
    }
    found.table.scores.emplace("", std::move(scores));
    for (const auto& [name, own] : pass.own)
        found.table.scores.emplace(name, shared_rows(own, reduction.granularity, {}));
    return found;
}

SelectedPoints select_points(const WindowScores& scores, const WindowSelection& selection, const Backend& backend)
{
    std::vector<Prepared> points;
    std::vector<PointCounts> counts;
    std::vector<std::size_t> indices;
    Labelling how { carry_out_there(backend), selection.bridges.get() };
    how.stop = selection.stop;
    how.whole_is_kept = true;
    std::map<std::size_t, Labelled> uneven; // by point: what it keeps says how many
    for (const SelectRequest& request : selection.requests) {
        const std::size_t index = points.size();
        indices.push_back(index);
        const Prepared& point = points.emplace_back(request, scores.context());
        counts.push_back({ point.budget });
        if (point.shares != Sharing::none && point.budget < scores.context()) {
            uneven.emplace(index, label_points(scores.table, std::span(&point, 1), how));
        } else if (!scores.table.evicting.empty() && point.budget < scores.context()) {
            for (std::int64_t row = 0; row < scores.rows(); ++row)
                counts.back().rows.push_back(scores.evicts(row) ? point.budget : scores.context());
        }
    }
    count_rows(uneven, scores.rows(), counts);
    const at::Device device = scores.table.device();
    SelectedPoints found { { scores.layers, scores.table.kv_heads, scores.context(), counts, device }, {}, {} };
    const at::Tensor starts = found.kept.starts(indices);
    std::vector<at::Tensor> facts;
    for (std::size_t begin = 0; begin < points.size();) {
        if (selection.stop.stop_requested())
            throw Cancelled {};
        const auto part = std::span(points).subspan(begin, alike(scores, std::span(points).subspan(begin)));
        Labelled made = uneven.contains(begin) ? std::move(uneven.at(begin)) : label_points(scores.table, part, how);
        found.first_bad = found.first_bad.defined() ? at::where(found.first_bad.lt(0), made.first_bad, found.first_bad)
                                                    : made.first_bad;
        if (selection.fault)
            selection.fault(made.labels);
        const auto first = static_cast<std::int64_t>(begin);
        const at::Tensor ranked = ranks_each_row(part.front())
            ? scores.table.of_all_layers(scores.table.of(part.front().score), 0)
            : at::Tensor();
        facts.push_back(list(scores, made.labels, starts.slice(0, first, first + made.labels.size(0)).contiguous(),
            found.kept.positions, ranked, backend));
        begin += part.size();
    }
    found.facts = at::cat(facts);
    return found;
}

std::vector<PointFacts> sum_facts(const at::Tensor& facts, const WindowScores& scores)
{
    std::vector<PointFacts> points(static_cast<std::size_t>(facts.size(0)));
    const std::int64_t rows = facts.size(1) / static_cast<std::int64_t>(sizeof(KeptFacts));
    const auto* row = reinterpret_cast<const KeptFacts*>(facts.const_data_ptr<std::uint8_t>());
    for (PointFacts& point : points) {
        double mass = 0;
        for (std::int64_t index = 0; index < rows; ++index, ++row) {
            point.entries += row->entries;
            point.hash += row->hash;
            mass += row->mass;
            point.first_kept += scores.evicts(index) ? row->first_kept : 0;
            point.tied_rows += row->tied;
        }
        point.hash = point.hash == 0 ? 1 : point.hash;
        point.kept_mass = mass / static_cast<double>(rows * scores.context());
    }
    return points;
}

std::vector<bool> chosen_points(const WindowScores& scores, const SelectedPoints& selected, const at::Tensor& facts)
{
    const bool ranked = selected.first_bad.item<std::int64_t>() < 0;
    const auto* const all = reinterpret_cast<const KeptFacts*>(facts.const_data_ptr<std::uint8_t>());
    std::vector<bool> chosen;
    for (std::size_t point = 0; point < selected.kept.counts.size(); ++point) {
        const KeptFacts* const rows = all + static_cast<std::int64_t>(point) * scores.rows();
        chosen.push_back(ranked || selected.kept.is_whole(point));
        for (std::int64_t row = 0; chosen.back() && row < scores.rows(); ++row) {
            const std::int64_t budget = selected.kept.count(point, row);
            if (rows[row].entries != budget)
                throw Error(ErrorKind::internal,
                    "A policy kept " + grouped(rows[row].entries) + " positions of row " + grouped(row)
                        + " where its budget is " + grouped(budget) + ".");
        }
    }
    return chosen;
}

at::Tensor facts_of(const KeptPositions& kept, const WindowScores& scores, const Backend& backend)
{
    const at::Device device = kept.positions.device();
    const std::int64_t rows = scores.rows();
    const std::size_t all = kept.counts.size();
    const auto together = static_cast<std::size_t>(
        std::max<std::int64_t>(1, labels_at_once / std::max<std::int64_t>(1, rows * kept.context)));
    std::vector<at::Tensor> facts;
    for (std::size_t begin = 0; begin < all; begin += together) {
        std::vector<std::size_t> part(std::min(together, all - begin));
        std::iota(part.begin(), part.end(), begin);
        const auto points = static_cast<std::int64_t>(part.size());
        const std::int64_t from = kept.begins[begin];
        const std::int64_t end = kept.begins[part.back()] + kept.entries(part.back());
        // Which row of which point a position belongs to: (end - from).
        const at::Tensor row
            = at::repeat_interleave(kept.row_counts(part).reshape({ points * rows }), std::optional(end - from));
        const at::Tensor position = kept.positions.slice(0, from, end).to(at::kLong);
        const at::Tensor inside = position.ge(0).logical_and_(position.lt(kept.context));
        // What lies outside goes to one place more, which nobody reads.
        const std::int64_t places = points * rows * kept.context;
        const at::Tensor place = at::where(inside, row * kept.context + position, places);
        at::Tensor labels = at::zeros({ places + 1 }, at::TensorOptions(at::kByte).device(device));
        labels.index_fill_(0, place, static_cast<std::int64_t>(Label::kept));
        const KeptPositions again(
            kept.layers, kept.kv_heads, kept.context, std::vector<PointCounts>(part.size(), { kept.context }), device);
        std::iota(part.begin(), part.end(), std::size_t { 0 });
        facts.push_back(list(scores, labels.slice(0, 0, places).view({ points, rows, kept.context }),
            again.starts(part), again.positions, {}, backend));
    }
    return at::cat(facts);
}

} // namespace keepset::policy
