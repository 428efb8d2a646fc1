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

    /// What kv heads of a layer that keep as many kept of the context.
    struct Kept {
        at::Tensor keys; // (kv_heads, k, head_dim)
        at::Tensor values; // (kv_heads, k, head_dim)
    };

    /// kv heads of a layer.
    struct Heads {
        std::int64_t begin = 0;
        std::int64_t end = 0;
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
                first[point].fill_(job.repacked ? job.kept.most(index_of(point)) : job.kept.context);
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
                if (job_.look)
                    job_.look(layer, parts);
                const ScoreRule rule = decoder.rule(layer).within(job_.kept.context + rows_);
                decoder.finish(layer, hidden_, attend_layer(layer, parts, rule), { job_.stop, job_.every_expert });
                wait_for_long(hidden_);
            }
            hidden_ = decoder.moved(hidden_, decoder.config().layers);
            return hidden_.view({ points_, rows_, hidden_.size(1) });
        }

    private:
        std::size_t index_of(std::int64_t point) const { return job_.points[static_cast<std::size_t>(point)]; }

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
            return rule.plain() ? packed_->attend(parts.q, packed, rule.scale, layer)
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
                outputs.push_back(with_kept(layer, point, parts.q[point], own_part, rule.scale));
            }
            return at::cat(outputs);
        }

        /// Merges what a point's queries found at its own keys with what they find at those it kept. q (heads, rows,
        /// head_dim), own of one point. Returns (1, heads, rows, head_dim).
        at::Tensor with_kept(
            std::int64_t layer, std::int64_t point, const at::Tensor& q, const Attended& own, double scale) const
        {
            const KeptPositions& kept = job_.kept;
            const std::int64_t group = q.size(0) / kept.kv_heads; // query heads of a kv head
            const auto count
                = [&](std::int64_t head) { return kept.count(index_of(point), layer * kept.kv_heads + head); };
            std::vector<at::Tensor> outputs;
            for (Heads heads; heads.end < kept.kv_heads; heads.begin = heads.end) { // as many as keep as many
                while (heads.end < kept.kv_heads && count(heads.end) == count(heads.begin))
                    ++heads.end;
                const auto part = [&](const at::Tensor& all, std::int64_t dim) {
                    return all.slice(dim, heads.begin * group, heads.end * group);
                };
                const Attended own_part { part(own.output, 1), part(own.row_lse, 1) };
                const bool nothing_kept = count(heads.begin) == 0;
                outputs.push_back(nothing_kept
                        ? own_part.output
                        : merge(own_part, attend_kept(layer, point, heads, part(q, 0), scale)).output);
            }
            return outputs.size() == 1 ? outputs.front() : at::cat(outputs, 1);
        }

        Kept kept_of(std::int64_t layer, std::int64_t point, const Heads& heads) const
        {
            const auto index = static_cast<std::size_t>(layer);
            const at::Tensor all_keys = job_.context.keys[index].slice(0, heads.begin, heads.end);
            const at::Tensor kept // (kv_heads, k)
                = job_.kept.of(index_of(point), layer * job_.kept.kv_heads + heads.begin, heads.end - heads.begin)
                      .to(all_keys.device(), at::kLong);
            const at::Tensor gather = kept.unsqueeze(-1).expand({ kept.size(0), kept.size(1), all_keys.size(2) });
            at::Tensor keys = at::gather(all_keys, 1, gather);
            if (job_.repacked) { // turned back from where they were
                const std::int64_t end = job_.kept.most(index_of(point));
                const at::Tensor places = at::arange(end - kept.size(1), end, kept.options());
                keys = job_.decoder.turn_keys(layer, keys, places - kept, length_);
            }
            return { keys, at::gather(job_.context.values[index].slice(0, heads.begin, heads.end), 1, gather) };
        }

        /// Target queries q (heads, rows, head_dim) over what kv heads kept of the context.
        Attended attend_kept(
            std::int64_t layer, std::int64_t point, const Heads& heads, const at::Tensor& q, double scale) const
        {
            const Kept kept = kept_of(layer, point, heads);
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
