#include "core/policy/select_window.h"

#include "core/device/streams.h"
#include "core/device/tensors.h"
#include "core/error.h"
#include "core/policy/prepared.h"
#include "core/words.h"
#include "kernels/ops/score_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace keepset::policy {

namespace {

    using kernels::KeptFacts;

    /// Points are selected for together, up to as many labels as still let a stop be answered soon.
    constexpr std::int64_t labels_at_once = std::int64_t { 1 } << 24U;

    /// Carries out the plans on labels (plans, score rows, context). Returns the first score that is not finite, or -1,
    /// on the scores' device.
    at::Tensor label(
        const WindowScores& scores, std::span<const Prepared> points, at::Tensor& labels, const Backend& backend)
    {
        std::vector<kernels::SelectPlan> plans;
        const std::int64_t size = scores.scores.numel();
        for (const Prepared& point : points) {
            kernels::SelectPlan& plan = plans.emplace_back(point.plan);
            plan.labels = labels.mutable_data_ptr<std::uint8_t>() + static_cast<std::int64_t>(plans.size() - 1) * size;
        }
        const kernels::SelectInputs inputs { scores.scores.const_data_ptr<float>(), scores.scores.size(0),
            scores.context, plans.data(), static_cast<std::int64_t>(plans.size()) };
        at::Tensor first_bad = at::empty({}, labels.options().dtype(at::kLong));
        if (labels.is_cuda()) {
            const c10::DeviceGuard guard(labels.device());
            backend.cuda->select(
                inputs, first_bad.mutable_data_ptr<std::int64_t>(), current_stream(first_bad.device()));
        } else {
            first_bad.fill_(kernels::select_cpu(inputs, backend.threads));
        }
        return first_bad;
    }

    /// What a policy does row by row, in the host's memory: labels (score rows, context) of one point.
    void fill(const WindowScores& scores, const ScoreRows& host, const Prepared& point, const SelectRequest& request,
        const WindowSelection& selection, const at::Tensor& labels)
    {
        const at::Tensor own = labels.cpu().contiguous();
        auto* const all = reinterpret_cast<Label*>(own.mutable_data_ptr<std::uint8_t>());
        const auto context = static_cast<std::size_t>(scores.context);
        for (std::int64_t index = 0; index < own.size(0); ++index) {
            if (selection.stop.stop_requested())
                throw Cancelled {};
            const std::size_t first = static_cast<std::size_t>(index) * context;
            Row row = row_at(scores.reduction, scores.kv_heads, index);
            row.scores = std::span(host.scores).subspan(first, context);
            row.budget = point.budget;
            row.seed = request.seed;
            row.window = request.window;
            row.bridges = selection.bridges.get();
            row.stop = selection.stop;
            point.policy.fill(row, point.settings, std::span(all + first, context));
        }
        labels.copy_(own);
    }

    /// Lists labels (points, score rows, context) as positions from `starts` (points, rows) on. Returns facts (points,
    /// rows · sizeof(KeptFacts)).
    at::Tensor list(const WindowScores& scores, const at::Tensor& labels, const at::Tensor& starts,
        const at::Tensor& positions, const Backend& backend)
    {
        kernels::KeptRowsInputs inputs;
        inputs.labels = labels.const_data_ptr<std::uint8_t>();
        const bool same_rows = labels.size(1) == scores.scores.size(0);
        inputs.scores = same_rows ? scores.scores.const_data_ptr<float>() : nullptr;
        inputs.mass = scores.mass.const_data_ptr<double>();
        inputs.plans = labels.size(0);
        inputs.score_rows = labels.size(1);
        inputs.sharing = scores.rows() / labels.size(1);
        inputs.context = scores.context;
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

} // namespace

ScoreRows WindowScores::on_host() const
{
    const at::Tensor host = scores.cpu().contiguous();
    ScoreRows found { reduction, layers, kv_heads, context, {}, {} };
    found.scores.assign(host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
    found.mass.assign(static_cast<std::size_t>(rows() * context), 0.0);
    return found;
}

WindowScores window_scores(const at::Tensor& importance, std::int64_t kv_heads, std::span<const std::int64_t> windows,
    const Reduction& reduction, const Backend& backend)
{
    WindowScores found { reduction, importance.size(0), kv_heads, importance.size(2), {}, {} };
    const at::Tensor all = importance.contiguous(); // (layers, heads, context)
    // Of the view only addresses are taken, wherever they lie.
    ImportanceView view { { all.const_data_ptr<float>(), static_cast<std::size_t>(all.numel()) }, found.layers,
        all.size(1), kv_heads, found.context };
    at::Tensor seen; // (layers)
    if (!windows.empty() && reduction.importance == Importance::mean_received) {
        seen = to_device(windows, all.device());
        view.windows = { seen.const_data_ptr<std::int64_t>(), windows.size() };
    }
    const kernels::ScoreRowsInputs inputs = score_rows_inputs(view, reduction);
    found.scores = at::empty({ found.rows() / inputs.together, found.context }, all.options());
    found.mass = at::empty({ found.rows(), found.context }, all.options().dtype(at::kDouble));
    if (all.is_cuda()) {
        const c10::DeviceGuard guard(all.device());
        backend.cuda->score_rows(inputs, found.scores.mutable_data_ptr<float>(), found.mass.mutable_data_ptr<double>(),
            current_stream(all.device()));
    } else {
        kernels::score_rows_cpu(
            inputs, found.scores.mutable_data_ptr<float>(), found.mass.mutable_data_ptr<double>(), backend.threads);
    }
    return found;
}

SelectedPoints select_points(const WindowScores& scores, const WindowSelection& selection, const Backend& backend)
{
    std::vector<Prepared> points;
    std::vector<PointCounts> counts;
    std::vector<std::size_t> indices;
    for (const SelectRequest& request : selection.requests) {
        indices.push_back(points.size());
        counts.push_back({ points.emplace_back(request, scores.context).budget });
    }
    const at::Device device = scores.scores.device();
    SelectedPoints found { { scores.layers, scores.kv_heads, scores.context, counts, device }, {}, {} };
    const at::Tensor starts = found.kept.starts(indices);
    std::optional<ScoreRows> host;
    std::optional<std::int64_t> bad;
    std::vector<at::Tensor> facts;
    const std::size_t together = static_cast<std::size_t>(
        std::max<std::int64_t>(1, labels_at_once / std::max<std::int64_t>(1, scores.rows() * scores.context)));
    for (std::size_t begin = 0; begin < points.size(); begin += together) {
        if (selection.stop.stop_requested())
            throw Cancelled {};
        const auto part = std::span(points).subspan(begin, std::min(together, points.size() - begin));
        at::Tensor labels = at::empty({ static_cast<std::int64_t>(part.size()), scores.scores.size(0), scores.context },
            at::TensorOptions(at::kByte).device(device));
        found.first_bad = label(scores, part, labels, backend); // the scores are the same each time
        for (std::size_t index = 0; index < part.size(); ++index) {
            const at::Tensor own = labels[static_cast<std::int64_t>(index)];
            if (part[index].budget == scores.context) { // whatever the policy, and whatever the scores are
                own.fill_(static_cast<std::int64_t>(Label::kept));
                continue;
            }
            if (!part[index].policy.fill)
                continue;
            if (!bad)
                bad = found.first_bad.item<std::int64_t>();
            if (*bad >= 0)
                continue; // nothing can be ranked: chosen_points tells
            if (!host)
                host = scores.on_host();
            fill(scores, *host, part[index], selection.requests[begin + index], selection, own);
        }
        if (selection.fault)
            selection.fault(labels);
        const auto first = static_cast<std::int64_t>(begin);
        facts.push_back(list(scores, labels, starts.slice(0, first, first + labels.size(0)).contiguous(),
            found.kept.positions, backend));
    }
    found.facts = at::cat(facts);
    return found;
}

std::vector<PointFacts> sum_facts(const at::Tensor& facts, std::int64_t context)
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
            point.first_kept += row->first_kept;
            point.tied_rows += row->tied;
        }
        point.hash = point.hash == 0 ? 1 : point.hash;
        point.kept_mass = mass / static_cast<double>(rows * context);
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
            again.starts(part), again.positions, backend));
    }
    return at::cat(facts);
}

} // namespace keepset::policy
