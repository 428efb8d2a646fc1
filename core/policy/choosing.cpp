#include "core/policy/choosing.h"

#include "core/device/tensors.h"
#include "core/error.h"
#include "core/policy/given_scores.h"
#include "core/task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace keepset::policy {

namespace {

    at::Tensor empty_labels(const ScoreTable& table, std::int64_t points)
    {
        return at::empty({ points, table.rows(), table.context }, at::TensorOptions(at::kByte).device(table.device()));
    }

    at::Tensor nothing_bad(const ScoreTable& table)
    {
        return at::full({}, -1, at::TensorOptions(at::kLong).device(table.device()));
    }

    std::vector<std::int64_t> widened(std::span<const std::int32_t> positions)
    {
        return { positions.begin(), positions.end() };
    }

    /// The same scores without the pinned positions.
    ScoreTable without_pinned(const ScoreTable& table, const at::Tensor& free)
    {
        ScoreTable rest = table;
        rest.context = free.numel();
        rest.scores.clear();
        for (const auto& [name, scores] : table.scores)
            rest.scores.emplace(name, scores.index_select(1, free));
        return rest;
    }

    /// What a policy does row by row, in the host's memory: labels (score rows, context) of one point.
    void fill(const ScoreTable& table, const Prepared& point, const Labelling& how, const at::Tensor& labels)
    {
        const at::Tensor own = labels.cpu().contiguous();
        auto* const all = reinterpret_cast<Label*>(own.mutable_data_ptr<std::uint8_t>());
        const auto context = static_cast<std::size_t>(table.context);
        for (std::int64_t index = 0; index < own.size(0); ++index) {
            if (how.stop.stop_requested())
                throw Cancelled {};
            const std::span<Label> of_row(all + static_cast<std::size_t>(index) * context, context);
            Row row = row_at(table.reduction, table.kv_heads, index, table.evicting);
            if (how.scope) {
                row.layer = how.scope->layer;
                row.kv_head = how.scope->kv_head;
            }
            row.budget = point.share.budget;
            row.left = point.share.budget - (point.share.context - std::ranges::count(of_row, Label::evicted));
            row.seed = point.request.seed;
            row.window = point.request.window;
            row.bridges = how.bridges;
            row.bridge_scores = how.bridge_scores;
            row.stop = how.stop;
            if (!point.pinned.none())
                row.positions = point.pinned.free;
            point.policy.fill(row, point.settings, of_row);
            if (how.row_done)
                how.row_done(index + 1, own.size(0));
        }
        labels.copy_(own);
    }

    /// Labels of the whole context from those of the positions that pins leave, (score rows, free) of one point.
    at::Tensor with_pinned(const ScoreTable& table, const Prepared& point, const at::Tensor& labels)
    {
        const Pinned& pinned = point.pinned;
        at::Tensor all = empty_labels(table, 1)[0].zero_();
        if (pinned.none())
            return labels;
        all.index_copy_(1, to_device(widened(pinned.free), all.device()), labels);
        const auto mark = [&](std::span<const std::int32_t> positions, std::int64_t count, Label label) {
            const std::vector<std::int64_t> taken(positions.begin(),
                positions.begin() + std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(positions.size())));
            all.index_fill_(1, to_device(taken, all.device()), static_cast<std::int64_t>(label));
        };
        const auto stay = static_cast<std::int64_t>(pinned.stay.size());
        // A keep set from a file keeps what it keeps, whatever the budget, and what is pinned beside it.
        const bool own_counts = table.scores.contains(keep_sets_of(point.score));
        mark(pinned.stay, own_counts ? stay : point.budget, Label::pinned);
        mark(pinned.go, own_counts ? 0 : point.budget - stay - point.share.budget, Label::kept);
        return all;
    }

    /// As label_points, where nothing is pinned.
    Labelled label_free(const ScoreTable& table, std::span<const Prepared> points, const Labelling& how)
    {
        Labelled made { empty_labels(table, static_cast<std::int64_t>(points.size())), nothing_bad(table) };
        std::map<std::string, std::vector<kernels::SelectPlan>> plans; // by the score that they rank by
        for (std::size_t index = 0; index < points.size(); ++index) {
            const Prepared& point = points[index];
            if (point.choose != nullptr)
                continue;
            kernels::SelectPlan& plan = plans[point.score].emplace_back(point.plan);
            plan.labels = made.labels[static_cast<std::int64_t>(index)].mutable_data_ptr<std::uint8_t>();
        }
        for (const auto& [score, of_score] : plans) {
            const at::Tensor bad = how.carry_out(table.of(score), of_score);
            made.first_bad = at::where(made.first_bad.lt(0), bad, made.first_bad);
        }
        std::optional<std::int64_t> bad;
        for (std::size_t index = 0; index < points.size(); ++index) {
            if (how.stop.stop_requested())
                throw Cancelled {};
            const Prepared& point = points[index];
            const at::Tensor labels = made.labels[static_cast<std::int64_t>(index)];
            if (how.whole_is_kept && point.share.budget == table.context) {
                labels.fill_(static_cast<std::int64_t>(Label::kept));
            } else if (point.choose != nullptr) {
                labels.copy_(point.choose({ table, point, how.carry_out, made.first_bad, how.scope }, point.settings));
            } else if (point.policy.fill) {
                if (!bad)
                    bad = made.first_bad.item<std::int64_t>(); // waits for a GPU
                if (*bad < 0) // else nothing can be ranked
                    fill(table, point, how, labels);
            }
        }
        return made;
    }

    /// As label_points, where something is pinned.
    Labelled label_pinned(const ScoreTable& table, std::span<const Prepared> points, const Labelling& how)
    {
        Labelled made { empty_labels(table, static_cast<std::int64_t>(points.size())), nothing_bad(table) };
        std::vector<std::int64_t> all(static_cast<std::size_t>(table.context));
        std::iota(all.begin(), all.end(), std::int64_t { 0 });
        for (std::size_t index = 0; index < points.size(); ++index) {
            const Prepared& point = points[index];
            const std::vector<std::int64_t> free = point.pinned.none() ? all : widened(point.pinned.free);
            const at::Tensor places = to_device(free, table.device());
            const ScoreTable rest = without_pinned(table, places);
            const at::Tensor labels = made.labels[static_cast<std::int64_t>(index)];
            if (free.empty()) {
                labels.copy_(with_pinned(table, point, empty_labels(rest, 1)[0]));
                continue;
            }
            const Labelled part = label_free(rest, std::span(&point, 1), how);
            labels.copy_(with_pinned(table, point, part.labels[0]));
            const at::Tensor bad = part.first_bad;
            const at::Tensor place = bad.floor_divide(rest.context) * table.context
                + places.index_select(0, bad.remainder(rest.context).view(1))[0];
            made.first_bad = at::where(made.first_bad.lt(0).logical_and(bad.ge(0)), place, made.first_bad);
        }
        return made;
    }

} // namespace

const at::Tensor& ScoreTable::of(const std::string& name) const
{
    const auto found = scores.find(name);
    if (found == scores.end())
        throw Error(ErrorKind::usage,
            "The scores of '" + name
                + "' are made while the text is read, and were not: this result does not hold them.",
            "Open the model and analyse the text with this policy chosen.");
    return found->second;
}

at::Tensor ScoreTable::of_all_layers(const at::Tensor& rows, double whole) const
{
    if (evicting.empty())
        return rows;
    const std::int64_t each = reduction.granularity == Granularity::model ? 1 : rows_of_layer();
    std::vector<std::int64_t> shape = rows.sizes().vec(); // (…, score rows, context)
    shape.insert(shape.end() - 2, all_layers);
    shape[shape.size() - 2] = each;
    at::Tensor all = at::full(shape, whole, rows.options()); // (…, layers, rows of each, context)
    std::vector<std::int64_t> theirs = shape;
    theirs[theirs.size() - 3] = reduction.granularity == Granularity::model ? 1 : layers;
    const at::Tensor own = rows.view(theirs);
    theirs[theirs.size() - 3] = layers; // a row of the whole model stands for each of its layers
    all.index_copy_(all.dim() - 3, to_device(evicting, rows.device()), own.expand(theirs));
    return all.flatten(-3, -2);
}

CarryOut carry_out_on_host(LabelRows label_rows)
{
    return [label_rows = std::move(label_rows)](const at::Tensor& scores, std::span<const kernels::SelectPlan> plans) {
        const kernels::SelectInputs inputs { scores.const_data_ptr<float>(), scores.size(0), scores.size(1),
            plans.data(), static_cast<std::int64_t>(plans.size()) };
        return at::full({}, label_rows(inputs), at::kLong);
    };
}

at::Tensor Choosing::labels(const at::Tensor& scores, kernels::SelectPlan plan) const
{
    at::Tensor made = at::zeros(scores.sizes(), at::TensorOptions(at::kByte).device(scores.device()));
    plan.labels = made.mutable_data_ptr<std::uint8_t>();
    const at::Tensor bad = carry_out(scores, std::span(&plan, 1));
    first_bad = at::where(first_bad.lt(0), bad, first_bad);
    return made;
}

Labelled label_points(const ScoreTable& table, std::span<const Prepared> points, const Labelling& how)
{
    const bool pins = std::ranges::any_of(points, [](const Prepared& point) { return !point.pinned.none(); });
    Labelled made = pins ? label_pinned(table, points, how) : label_free(table, points, how);
    made.labels = table.of_all_layers(made.labels, static_cast<double>(Label::kept));
    return made;
}

} // namespace keepset::policy
