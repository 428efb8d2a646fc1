#include "core/model/decoder.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <cmath>

namespace keepset {

ScoreRule Decoder::rule(std::int64_t) const
{
    ScoreRule rule;
    rule.scale = 1 / std::sqrt(static_cast<double>(config_.head_dim));
    return rule;
}

at::Tensor Decoder::embed(const at::Tensor& ids) const { return at::embedding(embedding_, ids); }

Rotation Decoder::rotation(const at::Tensor& positions) const
{
    return rotation_of(positions, inverse_frequencies_, dtype_);
}

at::Tensor Decoder::norm(const at::Tensor& x, const at::Tensor& weight) const
{
    const at::Tensor x32 = x.to(at::kFloat); // (rows, hidden)
    const at::Tensor inverse = x32.square().mean(-1, true).add_(config_.rms_norm_eps).rsqrt_();
    return (x32 * inverse).to(dtype_).mul_(weight);
}

Projected Decoder::project(std::int64_t layer, const at::Tensor& x, std::int64_t batch, const Rotation& rotation) const
{
    const Layer& weights = layers_[static_cast<std::size_t>(layer)];
    const at::Tensor normed = norm(x, weights.input_norm);
    const std::int64_t rows = x.size(0) / batch;
    const auto split = [&](const Linear& linear, std::int64_t heads) {
        return at::linear(normed, linear.weight, linear.bias)
            .view({ batch, rows, heads, config_.head_dim })
            .transpose(1, 2);
    };
    Projected projected;
    projected.q = rotate(split(weights.q, config_.heads), rotation);
    projected.k = rotate(split(weights.k, config_.kv_heads), rotation);
    projected.v = split(weights.v, config_.kv_heads);
    return projected;
}

void Decoder::finish(std::int64_t layer, at::Tensor& x, const at::Tensor& attended, const std::stop_token& stop) const
{
    const Layer& weights = layers_[static_cast<std::size_t>(layer)];
    const at::Tensor heads = attended.transpose(1, 2).reshape({ x.size(0), config_.heads * config_.head_dim });
    for (std::int64_t begin = 0; begin < x.size(0); begin += row_block_) {
        if (stop.stop_requested())
            throw Cancelled {};
        at::Tensor rows = x.slice(0, begin, begin + row_block_); // a view: adding to it adds to x
        rows.add_(at::linear(heads.slice(0, begin, begin + row_block_), weights.output.weight, weights.output.bias));
        const at::Tensor normed = norm(rows, weights.mlp_norm);
        at::Tensor gate = at::linear(normed, weights.gate.weight, weights.gate.bias); // (rows, intermediate)
        at::silu_(gate).mul_(at::linear(normed, weights.up.weight, weights.up.bias));
        rows.add_(at::linear(gate, weights.down.weight, weights.down.bias));
    }
}

at::Tensor Decoder::logits(const at::Tensor& x) const { return at::linear(norm(x, final_norm_), head_).to(at::kFloat); }

} // namespace keepset
