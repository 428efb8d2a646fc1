#include "core/error.h"
#include "core/policy/score_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/softmax.h>

#include <algorithm>

namespace keepset::policy {

namespace {

    /// Numbers of the keys of several query heads at a time: 256 MB.
    constexpr std::int64_t numbers_at_once = std::int64_t { 1 } << 26U;

    /// Mean rotation over the positions that come after the context: cos and sin, (1, dims) each; undefined where the
    /// layer rotates nothing.
    Rotation future_rotation(const LayerPass& layer, std::int64_t future)
    {
        const DecoderConfig& config = layer.decoder.config();
        const int rope = config.per_layer[static_cast<std::size_t>(layer.layer)].rope;
        if (rope < 0 || config.ropes.empty())
            return {};
        const std::int64_t context = layer.k.size(1);
        const at::Tensor positions
            = at::arange(context, context + future, at::TensorOptions(at::kLong).device(layer.decoder.device()));
        const Rotations all = layer.decoder.rotations(positions, layer.length);
        const Rotation& own = all[static_cast<std::size_t>(rope)];
        const auto mean = [&](const at::Tensor& x) { return x.to(layer.k.device(), at::kFloat).mean(0, true); };
        return { mean(own.cos), mean(own.sin) };
    }

    at::Tensor turned(const at::Tensor& x, const Rotation& rotation)
    {
        return rotation.cos.defined() ? rotate(x, rotation) : x;
    }

    /// What queries to come are expected to score the keys of some kv heads from `sinks` on: (heads there, keys).
    at::Tensor expected_scores(
        const LayerPass& layer, const at::Tensor& queries, const at::Tensor& keys, const Rotation& rotation)
    {
        const double scale = layer.rule.scale;
        const std::int64_t kv_heads = keys.size(0);
        at::Tensor mean = queries.mean(1, true); // (heads, 1, head_dim)
        const at::Tensor centred = queries - mean;
        at::Tensor covariance = at::bmm(centred.transpose(1, 2), centred).div_(queries.size(1));
        mean = turned(mean, rotation);
        covariance = turned(turned(covariance, rotation).transpose(1, 2), rotation).transpose(1, 2);
        // The query heads of a kv head side by side: (kv_heads, head_dim, group · …)
        const auto side_by_side = [&](const at::Tensor& x) {
            return x.unflatten(0, { kv_heads, -1 }).permute({ 0, 2, 1, 3 }).flatten(2);
        };
        const at::Tensor linear = at::bmm(keys, side_by_side(mean.transpose(1, 2))).mul_(scale); // (…, keys, group)
        at::Tensor spread = at::bmm(keys, side_by_side(covariance)).unflatten(-1, { -1, keys.size(2) });
        spread = spread.mul_(keys.unsqueeze(2)).sum(-1).mul_(scale * scale / 2);
        return (linear + spread).transpose(1, 2).flatten(0, 1);
    }

    at::Tensor score(const LayerPass& layer, const Settings& settings)
    {
        const std::int64_t kv_heads = layer.k.size(0);
        const std::int64_t group = layer.q.size(0) / kv_heads;
        const std::int64_t sinks = std::min(settings.count("sinks"), layer.k.size(1));
        if (sinks == layer.k.size(1))
            return layer.k.new_zeros({ kv_heads, sinks }, at::kFloat);
        const Rotation rotation = future_rotation(layer, settings.count("future"));
        const at::Tensor queries = layer.decoder.unrotated(layer.layer, layer.q, layer.rotations).slice(1, sinks);
        const std::int64_t numbers = group * layer.k.size(1) * layer.k.size(2); // of one kv head's keys
        const std::int64_t together = std::clamp<std::int64_t>(numbers_at_once / numbers, 1, kv_heads);
        std::vector<at::Tensor> scores; // (kv heads, keys)
        for (std::int64_t begin = 0; begin < kv_heads; begin += together) {
            if (layer.stop.stop_requested())
                throw Cancelled {};
            const std::int64_t end = std::min(begin + together, kv_heads);
            const at::Tensor keys = layer.k.slice(0, begin, end).slice(1, sinks).to(at::kFloat);
            const at::Tensor expected
                = expected_scores(layer, queries.slice(0, begin * group, end * group), keys, rotation);
            scores.push_back(group_mean(at::softmax(expected, -1), end - begin));
        }
        const at::Tensor made = (at::cat(scores) + settings.number("epsilon")) * norms(layer.v).slice(1, sinks);
        return at::constant_pad_nd(made, { sinks, 0 });
    }

} // namespace

Policy expected_attention()
{
    return {
        .info = { .name = "expected-attention",
            .title = "Expected attention",
            .description = "Keeps the first tokens and, of the rest, those that queries to come are expected to attend "
                           "to most.",
            .parameters
            = { { .name = "future",
                    .description = "Positions behind the context whose mean rotation stands for queries to come",
                    .default_value = "512",
                    .kind = ParameterKind::whole,
                    .minimum = 1,
                    .maximum = 1e6,
                    .of_score = true },
                { .name = "sinks",
                    .description = "First tokens that are always kept, and whose queries are left out",
                    .default_value = "4",
                    .kind = ParameterKind::whole,
                    .maximum = 1e6,
                    .of_score = true },
                { .name = "epsilon",
                    .description = "What is added to the expected attention before the length of the value counts",
                    .default_value = "0",
                    .of_score = true } },
            .labels = { Label::sink, Label::important },
            .ranks_by = ScoreOf::own,
            .score = "attention expected from queries of the same mean and covariance at the positions to come, times "
                     "the length of the value",
            .source = "Devoto et al., Expected Attention: KV Cache Compression by Estimating Attention from Future "
                      "Queries Distribution (arXiv 2510.00636)" },
        .plan = [](const Share& share,
                    const Settings& settings) { return ends_and_highest(settings.count("sinks"), 0, share.budget); },
        .score = score,
        .parts = { .keys = true, .values = true, .queries = [](const Settings&) { return all_queries; } },
    };
}

} // namespace keepset::policy
