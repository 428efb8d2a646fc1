#include "core/pass/target_pass.h"

#include "core/attention/attend.h"
#include "core/attention/attend_rule_cuda.h"
#include "core/error.h"
#include "core/pass/packed_points.h"
#include "core/pass/padded_points.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>

#include <optional>

namespace keepset {

namespace {

    /// What a point kept of one layer's context.
    struct Kept {
        at::Tensor keys; // (kv_heads, k, head_dim)
        at::Tensor values; // (kv_heads, k, head_dim)
    };

    /// Runs a group of points over the target.
    class TargetPass {
    public:
        explicit TargetPass(const TargetJob& job)
            : job_(job)
            , rows_(job.inputs.size(0))
            , points_(static_cast<std::int64_t>(job.points.size()))
        {
            const Decoder& decoder = job.decoder;
            const at::Tensor offsets = at::arange(rows_, job.inputs.options());
            hidden_ = decoder.embed(job.inputs, offsets + job.kept.context).repeat({ points_, 1 });
            at::Tensor first = at::empty({ points_, 1, 1 }, at::kLong); // position of each point's first target row
            for (std::int64_t point = 0; point < points_; ++point)
                first[point].fill_(job.repacked ? budget(point) : job.kept.context);
            length_ = job.kept.context + rows_ + 1; // with the target token that is only predicted
            rotations_ = decoder.rotations(
                first.to(decoder.device(), at::kLong, true) + offsets, length_); // (points, 1, rows, dims)
            if (job.inputs.is_cuda())
                packed_.emplace(job.kept, job.points, rows_, decoder.dtype(), job.repacked);
        }

        /// Returns (points, rows, hidden) after the last layer.
        at::Tensor run()
        {
            const Decoder& decoder = job_.decoder;
            for (std::int64_t layer = 0; layer < decoder.config().layers; ++layer) {
                if (job_.stop.stop_requested())
                    throw Cancelled {};
                hidden_ = decoder.moved(hidden_, layer);
                const Projected parts = decoder.project(layer, hidden_, points_, rotations_, job_.stop);
                const ScoreRule rule = decoder.rule(layer).within(job_.kept.context + rows_);
                decoder.finish(layer, hidden_, attend_layer(layer, parts, rule), { job_.stop, job_.every_expert });
                wait_for_long(hidden_);
            }
            hidden_ = decoder.moved(hidden_, decoder.config().layers);
            return hidden_.view({ points_, rows_, hidden_.size(1) });
        }

    private:
        std::size_t index_of(std::int64_t point) const { return job_.points[static_cast<std::size_t>(point)]; }
        std::int64_t budget(std::int64_t point) const { return job_.kept.budgets[index_of(point)]; }

        /// Returns (points, heads, rows, head_dim).
        at::Tensor attend_layer(std::int64_t layer, const Projected& parts, const ScoreRule& rule)
        {
            if (packed_ && (rule.plain() || rule_kernel_takes(parts.q)))
                return attend_packed(layer, parts, rule);
            if (rule.plain())
                return attend_plain(layer, parts, rule);
            if (!padded_)
                padded_.emplace(job_.kept, job_.points, rows_, job_.repacked);
            return padded_->attend({ job_.decoder, layer, job_.context, rule, length_ }, parts, job_.stop);
        }

        /// All points in one call.
        at::Tensor attend_packed(std::int64_t layer, const Projected& parts, const ScoreRule& rule) const
        {
            const auto index = static_cast<std::size_t>(layer);
            PackedKeys packed
                = packed_->pack(layer, job_.context.keys[index], job_.context.values[index], parts, job_.backend);
            if (job_.repacked) {
                const at::Tensor shifts = packed_->shifts(layer).to(packed.keys.device()).unsqueeze(0);
                const std::int64_t head_dim = parts.q.size(3);
                const at::Tensor turned
                    = job_.decoder.turn_keys(layer, packed.keys.slice(1, 0, head_dim).unsqueeze(0), shifts, length_);
                packed.keys.slice(1, 0, head_dim).copy_(turned[0]);
            }
            return rule.plain() ? packed_->attend(parts.q, packed, rule.scale)
                                : packed_->attend_by_rule(parts.q, packed, rule, layer);
        }

        /// The own keys of all points at once, merged with what each point kept.
        at::Tensor attend_plain(std::int64_t layer, const Projected& parts, const ScoreRule& rule) const
        {
            const Attended own = attend(parts.q, parts.k, parts.v, rule, job_.stop);
            std::vector<at::Tensor> outputs;
            for (std::int64_t point = 0; point < points_; ++point) {
                if (job_.stop.stop_requested())
                    throw Cancelled {};
                const Attended own_part { own.output.slice(0, point, point + 1),
                    own.row_lse.slice(0, point, point + 1) };
                const bool nothing_kept = budget(point) == 0; // rounding=kvpress
                outputs.push_back(nothing_kept
                        ? own_part.output
                        : merge(own_part, attend_kept(layer, point, parts.q[point], rule.scale)).output);
            }
            return at::cat(outputs);
        }

        Kept kept_of(std::int64_t layer, std::int64_t point) const
        {
            const auto index = static_cast<std::size_t>(layer);
            const at::Tensor& all_keys = job_.context.keys[index]; // (kv_heads, context, head_dim)
            const at::Tensor kept
                = job_.kept.of(index_of(point))[layer].to(all_keys.device(), at::kLong); // (kv_heads, k)
            const at::Tensor gather = kept.unsqueeze(-1).expand({ kept.size(0), kept.size(1), all_keys.size(2) });
            at::Tensor keys = at::gather(all_keys, 1, gather);
            if (job_.repacked) // turned back from where they were to 0 … k-1
                keys = job_.decoder.turn_keys(layer, keys, at::arange(kept.size(1), kept.options()) - kept, length_);
            const at::Tensor values = at::gather(job_.context.values[index], 1, gather);
            return { keys, values };
        }

        /// Target queries q (heads, rows, head_dim) over what the point kept of the context.
        Attended attend_kept(std::int64_t layer, std::int64_t point, const at::Tensor& q, double scale) const
        {
            const Kept kept = kept_of(layer, point);
            // Every target query sees every kept key, so the query heads of a kv head are just more rows of it.
            const at::Tensor rows = q.reshape({ 1, kept.keys.size(0), -1, q.size(2) });
            const Attended past
                = attend_every(rows, kept.keys.unsqueeze(0), kept.values.unsqueeze(0), scale, job_.stop);
            return { past.output.reshape({ 1, q.size(0), rows_, q.size(2) }),
                past.row_lse.reshape({ 1, q.size(0), rows_ }) };
        }

        const TargetJob& job_;
        std::int64_t rows_;
        std::int64_t points_;
        std::optional<PackedPoints> packed_; // on a GPU
        std::optional<PaddedPoints> padded_; // where a rule goes by positions elsewhere
        at::Tensor hidden_; // (points * rows, hidden)
        std::int64_t length_ = 0; // tokens of context and target
        Rotations rotations_;
    };

} // namespace

at::Tensor target_pass(const TargetJob& job) { return TargetPass(job).run(); }

} // namespace keepset
