#include "tests/core/masked_target.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace keepset {

namespace {

    /// Queries of one kv head, all keys there are, and where they stand.
    struct HeadPass {
        at::Tensor q; // (group, rows, head_dim)
        at::Tensor keys; // (context + rows, head_dim)
        at::Tensor places; // (context + rows) int64
        at::Tensor seen; // (context + rows) bool: kept, or the target's own
    };

    /// Keys and queries at the places of their own row.
    void repack(const TargetJob& job, std::int64_t layer, const at::Tensor& kept, HeadPass& pass)
    {
        const std::int64_t context = job.kept.context;
        const std::int64_t count = kept.size(0);
        const std::int64_t rows = pass.q.size(1);
        const at::Tensor order = at::arange(count + rows, kept.options());
        const at::Tensor target = at::arange(context, context + rows, kept.options());
        const at::Tensor places = pass.places.clone();
        places.index_copy_(0, at::cat({ kept, target }), order);
        const at::Tensor shift = (places - pass.places).unsqueeze(0);
        const std::int64_t length = context + rows + 1;
        pass.keys = job.decoder.turn_keys(layer, pass.keys.unsqueeze(0), shift, length)[0];
        pass.q = job.decoder.turn_keys(layer, pass.q, shift.slice(1, context), length);
        pass.places = places;
    }

    /// Returns (group, rows, head_dim).
    at::Tensor attend_masked(
        const HeadPass& pass, const at::Tensor& values, const ScoreRule& rule, const at::Tensor& bias)
    {
        const std::int64_t rows = pass.q.size(1);
        at::Tensor scores = at::matmul(pass.q.to(at::kDouble), pass.keys.to(at::kDouble).t()) * rule.scale;
        if (rule.softcap > 0)
            scores = (scores / rule.softcap).tanh() * rule.softcap;
        if (bias.defined())
            scores = scores + bias.to(at::kDouble).unsqueeze(1); // (group, 1, keys)
        const at::Tensor behind = pass.places.slice(0, -rows).unsqueeze(1) - pass.places; // (rows, keys)
        at::Tensor visible = behind.ge(0).logical_and(pass.seen);
        if (rule.window > 0)
            visible = visible.logical_and(behind.lt(rule.window));
        const at::Tensor p = scores.masked_fill(visible.logical_not(), -INFINITY).softmax(-1);
        return at::matmul(p, values.to(at::kDouble)).to(pass.q.scalar_type());
    }

    /// Returns (1, heads, rows, head_dim).
    at::Tensor attend_layer(const TargetJob& job, std::size_t point, std::int64_t layer, const Projected& parts)
    {
        const KeptPositions& kept = job.kept;
        const std::int64_t group = parts.q.size(1) / kept.kv_heads;
        const ScoreRule rule = job.decoder.rule(layer);
        const auto index = static_cast<std::size_t>(layer);
        std::vector<at::Tensor> outputs;
        for (std::int64_t head = 0; head < kept.kv_heads; ++head) {
            const at::Tensor own
                = kept.of(point, layer * kept.kv_heads + head, 1)[0].to(parts.q.device(), at::kLong); // (count)
            HeadPass pass;
            pass.q = parts.q[0].slice(0, head * group, (head + 1) * group);
            pass.keys = at::cat({ job.context.keys[index][head], parts.k[0][head] });
            pass.places = at::arange(pass.keys.size(0), own.options());
            pass.seen = pass.places.ge(kept.context).index_fill(0, own, 1);
            if (job.repacked)
                repack(job, layer, own, pass);
            at::Tensor bias = rule.key_bias(pass.places); // (heads, keys)
            if (bias.defined())
                bias = bias.slice(0, head * group, (head + 1) * group);
            const at::Tensor values = at::cat({ job.context.values[index][head], parts.v[0][head] });
            outputs.push_back(attend_masked(pass, values, rule, bias));
        }
        return at::cat(outputs).unsqueeze(0);
    }

} // namespace

at::Tensor masked_target(const TargetJob& job, std::size_t point)
{
    const Decoder& decoder = job.decoder;
    const std::int64_t rows = job.inputs.size(0);
    const at::Tensor positions = at::arange(rows, job.inputs.options()) + job.kept.context;
    const Rotations rotations = decoder.rotations(positions, job.kept.context + rows + 1);
    at::Tensor hidden = decoder.embed(job.inputs, positions);
    for (std::int64_t layer = 0; layer < decoder.config().layers; ++layer) {
        hidden = decoder.moved(hidden, layer);
        const Projected parts = decoder.project(layer, hidden, 1, rotations);
        decoder.finish(layer, hidden, attend_layer(job, point, layer, parts), {});
    }
    return decoder.moved(hidden, decoder.config().layers);
}

KeptPositions random_kept(const Decoder& decoder, std::int64_t context, int ragged, std::mt19937& random)
{
    const std::int64_t layers = decoder.config().layers;
    const std::int64_t kv_heads = decoder.config().kv_heads;
    const auto any = [&] { return std::uniform_int_distribution<std::int64_t>(0, context)(random); };
    std::vector<PointCounts> counts { { context }, { context / 3 }, { 0, {} } };
    for (std::int64_t layer = 0; layer < layers; ++layer)
        counts.back().rows.insert(counts.back().rows.end(), static_cast<std::size_t>(kv_heads), any());
    for (int point = 0; point < ragged; ++point) {
        counts.push_back({ 0, { context, 1, 0 } });
        std::vector<std::int64_t>& rows = counts.back().rows;
        rows.resize(static_cast<std::size_t>(layers * kv_heads)); // a model of fewer rows has not all three
        std::generate(rows.begin() + std::min<std::ptrdiff_t>(3, std::ssize(rows)), rows.end(), any);
        std::ranges::shuffle(rows, random);
    }
    KeptPositions kept(layers, kv_heads, context, counts, decoder.device());
    std::vector<std::int32_t> all(static_cast<std::size_t>(context));
    std::iota(all.begin(), all.end(), 0);
    std::vector<std::int32_t> positions;
    for (std::size_t point = 0; point < counts.size(); ++point) {
        for (std::int64_t row = 0; row < kept.rows(); ++row)
            std::ranges::sample(all, std::back_inserter(positions), kept.count(point, row), random);
    }
    at::Tensor host = at::zeros({ static_cast<std::int64_t>(positions.size()) }, at::kInt);
    std::ranges::copy(positions, host.mutable_data_ptr<std::int32_t>());
    kept.positions.copy_(host);
    return kept;
}

} // namespace keepset
