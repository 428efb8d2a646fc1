#include "core/attention/attend.h"
#include "core/error.h"
#include "core/pass/dense_pass.h"
#include "core/sweep/protocol.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

namespace keepset {

namespace {

    /// Rows of the target pass that go through a layer together: on a GPU the more the better, on a CPU more only
    /// delays a stop.
    std::int64_t group_size(const SweepStep& step, std::int64_t rows)
    {
        const std::int64_t wanted = step.decoder.device().is_cuda() ? 16384 : 1024;
        return std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(1, rows));
    }

    /// Points in the order of the target pass, and how many of them evict nothing: these stand first, dense at the
    /// front, because they must equal dense.
    struct Order {
        std::vector<std::size_t> points;
        std::size_t whole = 0;
        std::size_t chosen = 0; ///< all, or where nothing could be ranked those that evict nothing

        explicit Order(const std::vector<KeepSet>& sets)
            : points(sets.size())
        {
            std::iota(points.begin(), points.end(), std::size_t { 0 });
            // Not of std::ranges: clang-tidy 14 cannot read what that returns.
            const auto first_evicting = std::stable_partition(points.begin(), points.end(),
                [&](std::size_t index) { return sets[index].budget == sets[index].context; });
            whole = static_cast<std::size_t>(first_evicting - points.begin());
            chosen = static_cast<std::size_t>(std::ranges::count_if(sets, is_chosen));
        }
    };

    /// Points of the target pass that go together. Where those that evict nothing fill more than one group, the last
    /// of their groups is filled up with dense: to equal dense to the last bit they need products of the same height,
    /// and in a mixture of experts the same rows beside them.
    struct Group {
        std::vector<const KeepSet*> sets;
        std::size_t count = 0; ///< of them that are points of the plan

        Group(const std::vector<KeepSet>& all, const Order& order, std::size_t begin, std::size_t size)
        {
            const bool filled_up = begin > 0 && begin < order.whole;
            count = std::min(size, (filled_up ? order.whole : order.chosen) - begin);
            for (std::size_t index = begin; index < begin + count; ++index)
                sets.push_back(&all[order.points[index]]);
            if (filled_up)
                sets.resize(size, &all[order.points.front()]);
        }
    };

    /// Runs a group of points over the target.
    class TargetPass {
    public:
        TargetPass(const SweepStep& step, const DensePass& context, const at::Tensor& inputs,
            const std::vector<const KeepSet*>& sets)
            : step_(step)
            , context_(context)
            , rows_(inputs.size(0))
            , points_(static_cast<std::int64_t>(sets.size()))
            , repacked_(step.request.positions == Positions::repacked)
        {
            const Decoder& decoder = step.decoder;
            const std::int64_t context_length = context.hidden.size(0);
            const at::Tensor offsets = at::arange(rows_, inputs.options());
            hidden_ = decoder.embed(inputs, offsets + context_length).repeat({ points_, 1 });
            at::Tensor first = at::empty({ points_, 1, 1 }, at::kLong); // position of each point's first target row
            for (std::int64_t point = 0; point < points_; ++point) {
                const KeepSet& set = *sets[static_cast<std::size_t>(point)];
                kept_.push_back(kept_positions(step, set));
                first_.push_back(repacked_ ? set.budget : set.context);
                first[point].fill_(first_.back());
            }
            length_ = context_length + rows_ + 1; // with the target token that is only predicted
            rotations_ = decoder.rotations(first.to(decoder.device()) + offsets, length_); // (points, 1, rows, dims)
        }

        /// Returns (points, rows, hidden) after the last layer.
        at::Tensor run()
        {
            const Decoder& decoder = step_.decoder;
            for (std::int64_t layer = 0; layer < decoder.config().layers; ++layer) {
                hidden_ = decoder.moved(hidden_, layer);
                const Projected parts = decoder.project(layer, hidden_, points_, rotations_, step_.stop);
                const ScoreRule rule = decoder.rule(layer).within(context_.keys.front().size(1) + rows_);
                const at::Tensor output
                    = rule.plain() ? attend_plain(layer, parts, rule) : attend_by_rule(layer, parts, rule);
                finish(decoder, layer, hidden_, output, { step_.stop, step_.row_by_row });
            }
            hidden_ = decoder.moved(hidden_, decoder.config().layers);
            return hidden_.view({ points_, rows_, hidden_.size(1) });
        }

        /// Positions that a point's keys and values were gathered by: (layers, kv_heads, k).
        const at::Tensor& gathered_by(std::size_t point) const { return kept_[point]; }

    private:
        /// What a point kept of one layer's context.
        struct Kept {
            at::Tensor positions; // (kv_heads, k), where the keys now stand
            at::Tensor keys; // (kv_heads, k, head_dim)
            at::Tensor values; // (kv_heads, k, head_dim)
        };

        /// Every target query sees every kept key: the own keys of all points at once, merged with what each point
        /// kept. Returns (points, heads, rows, head_dim).
        at::Tensor attend_plain(std::int64_t layer, const Projected& parts, const ScoreRule& rule) const
        {
            const Attended own = attend(parts.q, parts.k, parts.v, rule, step_.stop);
            std::vector<at::Tensor> outputs;
            for (std::int64_t point = 0; point < points_; ++point) {
                if (step_.stop.stop_requested())
                    throw Cancelled {};
                const Attended own_part { own.output.slice(0, point, point + 1),
                    own.row_lse.slice(0, point, point + 1) };
                const bool nothing_kept = kept_[static_cast<std::size_t>(point)].size(2) == 0; // rounding=kvpress
                outputs.push_back(nothing_kept
                        ? own_part.output
                        : merge(own_part, attend_kept(layer, point, parts.q[point], rule.scale)).output);
            }
            return at::cat(outputs);
        }

        /// The same where a window or a bias goes by positions: a point's kept and own keys make one row, of which a
        /// query may see no kept one.
        at::Tensor attend_by_rule(std::int64_t layer, const Projected& parts, const ScoreRule& rule) const
        {
            std::vector<at::Tensor> outputs;
            for (std::int64_t point = 0; point < points_; ++point) {
                const Kept kept = kept_of(layer, point);
                const std::int64_t first = first_[static_cast<std::size_t>(point)];
                const at::Tensor own = at::arange(first, first + rows_, kept.positions.options()); // (rows)
                const at::Tensor places = at::cat({ kept.positions, own.expand({ kept.positions.size(0), rows_ }) }, 1);
                const at::Tensor keys = at::cat({ kept.keys, parts.k[point] }, 1); // (kv_heads, k + rows, head_dim)
                const at::Tensor values = at::cat({ kept.values, parts.v[point] }, 1);
                const at::Tensor q = parts.q.slice(0, point, point + 1);
                outputs.push_back(
                    attend_at(q, keys.unsqueeze(0), values.unsqueeze(0), rule, { own, places }, step_.stop).output);
            }
            return at::cat(outputs);
        }

        Kept kept_of(std::int64_t layer, std::int64_t point) const
        {
            const auto index = static_cast<std::size_t>(layer);
            const at::Tensor& all_keys = context_.keys[index]; // (kv_heads, context, head_dim)
            const at::Tensor kept
                = kept_[static_cast<std::size_t>(point)][layer].to(all_keys.device()); // (kv_heads, k)
            const at::Tensor gather = kept.unsqueeze(-1).expand({ kept.size(0), kept.size(1), all_keys.size(2) });
            at::Tensor keys = at::gather(all_keys, 1, gather);
            if (repacked_) // turned back from where they were to 0 … k-1
                keys = step_.decoder.turn_keys(layer, keys, at::arange(kept.size(1), kept.options()) - kept, length_);
            const at::Tensor values = at::gather(context_.values[index], 1, gather);
            return { repacked_ ? at::arange(kept.size(1), kept.options()).expand_as(kept) : kept, keys, values };
        }

        /// Target queries q (heads, rows, head_dim) over what the point kept of the context.
        Attended attend_kept(std::int64_t layer, std::int64_t point, const at::Tensor& q, double scale) const
        {
            const Kept kept = kept_of(layer, point);
            // Every target query sees every kept key, so the query heads of a kv head are just more rows of it.
            const at::Tensor rows = q.reshape({ 1, kept.keys.size(0), -1, q.size(2) });
            const Attended past
                = attend_every(rows, kept.keys.unsqueeze(0), kept.values.unsqueeze(0), scale, step_.stop);
            return { past.output.reshape({ 1, q.size(0), rows_, q.size(2) }),
                past.row_lse.reshape({ 1, q.size(0), rows_ }) };
        }

        const SweepStep& step_;
        const DensePass& context_;
        std::int64_t rows_;
        std::int64_t points_;
        bool repacked_;
        at::Tensor hidden_; // (points * rows, hidden)
        std::vector<at::Tensor> kept_; // a point each, (layers, kv_heads, k)
        std::vector<std::int64_t> first_; // position of each point's first target row
        std::int64_t length_ = 0; // tokens of context and target
        Rotations rotations_;
    };

} // namespace

WindowResult run_prefill_evict(const SweepStep& step, const Window& window)
{
    const at::Tensor context = to_tensor(step.decoder, window.context);
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    const DensePass pass = run_dense(
        step, context, { .importance = true, .cache = true, .attention = needs_attention(step), .length = length });
    WindowResult result;
    const std::vector<KeepSet> sets = select_points(step, window, pass, result);
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor inputs = target.slice(0, 0, -1);
    const at::Tensor wanted = target.slice(0, 1);
    result.read_hash = hash_of_ids(inputs, hash_of_ids(context));
    const Order order(sets);
    std::optional<TargetScorer> scorer;
    for (std::size_t begin = 0, next = 0; begin < order.chosen; begin = next) {
        const auto start = std::chrono::steady_clock::now();
        const Group points(sets, order, begin, static_cast<std::size_t>(group_size(step, inputs.size(0))));
        next = begin + points.count;
        TargetPass target_pass(step, pass, inputs, points.sets);
        at::Tensor hidden = target_pass.run();
        if (step.faults.hidden)
            hidden = step.faults.hidden(hidden);
        result.largest_hidden = maximum(result.largest_hidden, largest_magnitude(hidden));
        if (!scorer) // the dense point is the first of the first group
            scorer.emplace(
                step.decoder, step.faults.scored ? step.faults.scored(wanted) : wanted, hidden[0].clone(), step.stop);
        const std::vector<TargetScore> scores
            = scorer->score(hidden.slice(0, 0, static_cast<std::int64_t>(points.count)), step.stop);
        for (std::size_t index = 0; index < points.count; ++index) {
            WindowPoint& point = result.points[order.points[begin + index]];
            point.score = scores[index];
            note_gathered(point, target_pass.gathered_by(index), points.sets[index]->context);
            step.point_done(static_cast<std::int64_t>(begin + index + 1));
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        for (std::size_t index = 0; index < points.count; ++index)
            result.points[order.points[begin + index]].seconds = seconds / static_cast<double>(points.count);
    }
    note_unscored(result, std::span(order.points).subspan(order.chosen), wanted.size(0));
    return result;
}

} // namespace keepset
