#include "core/attention/attend.h"
#include "core/attention/dense_pass.h"
#include "core/error.h"
#include "core/sweep/protocol.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>

#include <algorithm>
#include <chrono>

namespace keepset {

namespace {

    /// Rows of the target pass that go through a layer together: on a GPU the more the better, on a CPU more only
    /// delays a stop.
    std::int64_t group_size(const SweepStep& step, std::int64_t rows)
    {
        const std::int64_t wanted = step.decoder.device().is_cuda() ? 16384 : 1024;
        return std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(1, rows));
    }

    /// Positions of the kept entries: (layers, kv_heads, k) int64, ascending, on the decoder's device.
    at::Tensor kept_positions(const KeepSet& set, const Decoder& decoder)
    {
        at::Tensor kept = at::empty({ set.layers, set.kv_heads, set.budget }, at::kLong);
        auto* out = kept.mutable_data_ptr<std::int64_t>();
        for (std::size_t index = 0; index < set.labels.size(); ++index) {
            if (set.labels[index] != Label::evicted)
                *out++ = static_cast<std::int64_t>(index) % set.context;
        }
        return kept.to(decoder.device());
    }

    /// Points that go through the target pass together.
    class TargetPass {
    public:
        TargetPass(
            const SweepStep& step, const DensePass& context, const at::Tensor& inputs, std::span<const KeepSet> sets)
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
                const KeepSet& set = sets[static_cast<std::size_t>(point)];
                kept_.push_back(kept_positions(set, decoder));
                first[point].fill_(repacked_ ? set.budget : set.context);
            }
            length_ = context_length + rows_ + 1; // with the target token that is only predicted
            rotations_ = decoder.rotations(first.to(decoder.device()) + offsets, length_); // (points, 1, rows, dims)
        }

        /// Returns (points, rows, hidden) after the last layer.
        at::Tensor run()
        {
            const Decoder& decoder = step_.decoder;
            for (std::int64_t layer = 0; layer < decoder.config().layers; ++layer) {
                const Projected parts = decoder.project(layer, hidden_, points_, rotations_);
                const Attended own = attend(parts.q, parts.k, parts.v, decoder.rule(layer).scale, true);
                std::vector<at::Tensor> outputs;
                for (std::int64_t point = 0; point < points_; ++point) {
                    if (step_.stop.stop_requested())
                        throw Cancelled {};
                    const Attended own_part { own.output.slice(0, point, point + 1),
                        own.row_lse.slice(0, point, point + 1) };
                    const bool nothing_kept = kept_[static_cast<std::size_t>(point)].size(2) == 0; // rounding=kvpress
                    outputs.push_back(nothing_kept ? own_part.output
                                                   : merge(own_part, attend_kept(layer, point, parts.q[point])).output);
                }
                decoder.finish(layer, hidden_, at::cat(outputs), step_.stop);
            }
            return hidden_.view({ points_, rows_, hidden_.size(1) });
        }

    private:
        /// Target queries q (heads, rows, head_dim) over what the point kept of the context.
        Attended attend_kept(std::int64_t layer, std::int64_t point, const at::Tensor& q) const
        {
            const auto index = static_cast<std::size_t>(layer);
            const at::Tensor kept = kept_[static_cast<std::size_t>(point)][layer]; // (kv_heads, k)
            const at::Tensor& all_keys = context_.keys[index]; // (kv_heads, context, head_dim)
            const at::Tensor gather = kept.unsqueeze(-1).expand({ kept.size(0), kept.size(1), all_keys.size(2) });
            at::Tensor keys = at::gather(all_keys, 1, gather);
            if (repacked_) // turned back from where they were to 0 … k-1
                keys = step_.decoder.turn_keys(layer, keys, at::arange(kept.size(1), kept.options()) - kept, length_);
            const at::Tensor values = at::gather(context_.values[index], 1, gather);
            // Every target query sees every kept key, so the query heads of a kv head are just more rows of it.
            const at::Tensor rows = q.reshape({ 1, kept.size(0), -1, q.size(2) });
            const Attended past
                = attend(rows, keys.unsqueeze(0), values.unsqueeze(0), step_.decoder.rule(layer).scale, false);
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
        std::int64_t length_ = 0; // tokens of context and target
        Rotations rotations_;
    };

} // namespace

WindowResult run_prefill_evict(const SweepStep& step, const Window& window)
{
    const Task quiet { step.stop, {} };
    const at::Tensor context = to_tensor(step.decoder, window.context);
    const auto length = static_cast<std::int64_t>(window.context.size() + window.target.size());
    const DensePass pass = dense_pass(
        step.decoder, context, { .importance = true, .cache = true, .length = length }, step.backend, quiet);
    WindowResult result;
    const std::vector<KeepSet> sets = select_points(step, window, pass.importance, result);
    const at::Tensor target = to_tensor(step.decoder, window.target);
    const at::Tensor inputs = target.slice(0, 0, -1);
    const at::Tensor wanted = target.slice(0, 1);
    const auto group = static_cast<std::size_t>(group_size(step, inputs.size(0)));
    std::optional<TargetScorer> scorer;
    for (std::size_t begin = 0; begin < sets.size(); begin += group) {
        const std::size_t count = std::min(group, sets.size() - begin);
        const auto start = std::chrono::steady_clock::now();
        const at::Tensor hidden = TargetPass(step, pass, inputs, std::span(sets).subspan(begin, count)).run();
        if (!scorer) // the dense point is the first of the first group
            scorer.emplace(step.decoder, wanted, hidden[0], step.stop);
        for (std::size_t index = 0; index < count; ++index) {
            result.points[begin + index].score = scorer->score(hidden[static_cast<std::int64_t>(index)], step.stop);
            step.point_done(static_cast<std::int64_t>(begin + index + 1));
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        for (std::size_t index = 0; index < count; ++index)
            result.points[begin + index].seconds = seconds / static_cast<double>(count);
    }
    return result;
}

} // namespace keepset
