#include "core/model/decoder.h"

#include "core/error.h"
#include "core/model/layer_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <array>

namespace keepset {

namespace {

    /// Rows of x (rows, …), some at a time so that a stop is answered; all at once on a GPU, which is only told what to
    /// do.
    template <typename Use>
    void for_blocks(const at::Tensor& x, std::int64_t block, const std::stop_token& stop, const Use& use)
    {
        const std::int64_t rows = x.is_cuda() ? std::max<std::int64_t>(1, x.size(0)) : block;
        for (std::int64_t begin = 0; begin == 0 || begin < x.size(0); begin += rows) {
            if (stop.stop_requested())
                throw Cancelled {};
            use(x.slice(0, begin, begin + rows));
        }
    }

    at::Tensor joined(const std::vector<at::Tensor>& blocks)
    {
        return blocks.size() == 1 ? blocks.front() : at::cat(blocks);
    }

} // namespace

std::vector<at::Device> Decoder::devices() const
{
    std::vector<at::Device> all { placement_.device };
    for (const at::Device& device : placement_.layers) {
        if (std::ranges::find(all, device) == all.end())
            all.push_back(device);
    }
    return all;
}

ScoreRule Decoder::rule(std::int64_t layer) const
{
    const LayerConfig& part = config_.per_layer[static_cast<std::size_t>(layer)];
    ScoreRule rule;
    rule.scale = part.scale;
    rule.softcap = config_.attention_softcap;
    rule.window = part.window;
    rule.alibi_slopes = alibi_slopes_;
    rule.alibi_bfloat16 = config_.alibi_bfloat16;
    rule.alibi_scale = config_.alibi_scale;
    return rule;
}

at::Tensor Decoder::moved(const at::Tensor& x, std::int64_t layer) const
{
    return x.to(layer < config_.layers ? placement_.layers[static_cast<std::size_t>(layer)] : device());
}

at::Tensor Decoder::embed(const at::Tensor& ids, const at::Tensor& positions) const
{
    at::Tensor x = at::embedding(embedding_, ids); // (rows, embedding size)
    if (project_in_.weight.defined())
        x = product(x, project_in_.weight);
    if (positions_.defined())
        x.add_(at::embedding(positions_, positions + config_.learned_offset));
    if (config_.embedding_scale != 1) {
        const at::Tensor scale = at::scalar_tensor(config_.embedding_scale, at::kDouble);
        x.mul_(config_.round_embedding_scale ? scale.to(dtype_).item() : scale.item());
    }
    return embedding_norm_.weight.defined() ? norm(x, embedding_norm_) : x;
}

Rotations Decoder::rotations(const at::Tensor& positions, std::int64_t length) const
{
    Rotations all;
    for (const RopeConfig& rope : config_.ropes)
        all.push_back(rotation_of(positions, inverse_frequencies(rope, length).to(device(), at::kFloat, true),
            rope.attention_factor, config_.rotate_in_float32 ? at::kFloat : dtype_));
    return all;
}

at::Tensor Decoder::turn_keys(
    std::int64_t layer, const at::Tensor& keys, const at::Tensor& shift, std::int64_t length) const
{
    const int rope = config_.per_layer[static_cast<std::size_t>(layer)].rope;
    if (rope < 0 || config_.ropes.empty())
        return keys;
    const at::Tensor frequencies = inverse_frequencies(config_.ropes[static_cast<std::size_t>(rope)], length)
                                       .to(keys.device(), at::kFloat, true);
    // The keys have their attention factor already.
    return rotate(keys, rotation_of(shift, frequencies, 1, config_.rotate_in_float32 ? at::kFloat : dtype_));
}

const at::Tensor& Decoder::output_weight(std::int64_t layer) const
{
    return layers_[static_cast<std::size_t>(layer)].output.weight;
}

at::Tensor Decoder::unrotated(std::int64_t layer, const at::Tensor& x, const Rotations& rotations) const
{
    const int rope = config_.per_layer[static_cast<std::size_t>(layer)].rope;
    if (rope < 0 || config_.ropes.empty())
        return x.to(at::kFloat);
    const auto index = static_cast<std::size_t>(rope);
    // cos and sin are multiplied by the attention factor, once there and once back.
    const double factor = config_.ropes[index].attention_factor * config_.ropes[index].attention_factor;
    const at::Tensor cos = rotations[index].cos.to(x.device(), at::kFloat);
    const at::Tensor sin = rotations[index].sin.to(x.device(), at::kFloat);
    const at::Tensor own = x.to(at::kFloat, false, true); // a copy: it is turned in place
    rotate_rows(own.unsqueeze(0), { cos / factor, -sin / factor });
    return own;
}

at::Tensor Decoder::norm(const at::Tensor& x, const Norm& norm) const
{
    if (config_.norm == NormKind::layer)
        return at::layer_norm(x, { x.size(-1) }, norm.weight, norm.bias, config_.norm_eps);
    return rms_norm(x, norm.weight, config_.norm_eps); // a float32 weight was made by the loader, which added the 1
}

at::Tensor Decoder::norm_heads(const at::Tensor& heads, const Norm& norm) const
{
    if (config_.qk_norm != QkNorm::each_head)
        return this->norm(heads, norm);
    return at::layer_norm(heads, { heads.size(-1) }, {}, {}, config_.norm_eps).mul_(norm.weight); // (heads, head_dim)
}

Projected Decoder::project(std::int64_t layer, const at::Tensor& x, std::int64_t batch, const Rotations& rotations,
    const std::stop_token& stop) const
{
    const Layer& weights = layers_[static_cast<std::size_t>(layer)];
    const bool norm_first = weights.input_norm.weight.defined() && config_.residual != Residual::post_norm;
    const std::array linears { &weights.q, &weights.k, &weights.v };
    std::array<std::vector<at::Tensor>, 3> blocks; // (rows of the block, heads * head_dim)
    for_blocks(x, row_block_, stop, [&](const at::Tensor& block) {
        const at::Tensor normed = norm_first ? norm(block, weights.input_norm) : block;
        if (weights.qkv.weight.defined()) {
            const at::Tensor all = product(normed, weights.qkv.weight, weights.qkv.bias);
            std::int64_t begin = 0;
            for (std::size_t part = 0; part < linears.size(); ++part) {
                const std::int64_t end = begin + linears[part]->weight.size(0);
                blocks[part].push_back(all.slice(1, begin, end));
                begin = end;
            }
            return;
        }
        for (std::size_t part = 0; part < linears.size(); ++part)
            blocks[part].push_back(product(normed, linears[part]->weight, linears[part]->bias));
    });
    const std::int64_t rows = x.size(0) / batch;
    const auto split = [&](const std::vector<at::Tensor>& parts, std::int64_t heads, const Norm& head_norm) {
        at::Tensor projected = joined(parts);
        if (config_.qk_norm == QkNorm::whole && head_norm.weight.defined())
            projected = norm(projected, head_norm);
        projected = projected.view({ batch, rows, heads, config_.head_dim });
        if (config_.qk_norm != QkNorm::whole && head_norm.weight.defined())
            projected = norm_heads(projected, head_norm);
        return projected.transpose(1, 2);
    };
    Projected projected;
    projected.q = split(blocks[0], config_.heads, weights.q_norm);
    projected.k = split(blocks[1], config_.kv_heads, weights.k_norm);
    projected.v = split(blocks[2], config_.kv_heads, {});
    const int rope = config_.per_layer[static_cast<std::size_t>(layer)].rope;
    if (rope >= 0 && !rotations.empty()) {
        const Rotation& made = rotations[static_cast<std::size_t>(rope)]; // where the embedding is
        const Rotation rotation { made.cos.to(x.device()), made.sin.to(x.device()) };
        rotate_both(projected.q, projected.k, rotation);
    }
    return projected;
}

at::Tensor Decoder::run(const Mlp& mlp, const at::Tensor& x) const
{
    if (mlp.gate_up.weight.defined()) {
        const at::Tensor both = product(x, mlp.gate_up.weight, mlp.gate_up.bias); // (rows, 2 * intermediate)
        return product(gated(both, config_.activation), mlp.down.weight, mlp.down.bias);
    }
    const Linear& first = config_.gated_mlp ? mlp.gate : mlp.up;
    at::Tensor wide = product(x, first.weight, first.bias); // (rows, intermediate)
    activate(wide, config_.activation);
    if (config_.gated_mlp)
        wide.mul_(product(x, mlp.up.weight, mlp.up.bias));
    return product(wide, mlp.down.weight, mlp.down.bias);
}

at::Tensor Decoder::mlp(const Layer& layer, const at::Tensor& x, bool every_expert) const
{
    return layer.experts.empty() ? run(layer.mlp, x) : mixture(layer, x, every_expert);
}

void Decoder::add(at::Tensor& x, const at::Tensor& branch) const
{
    x.add_(config_.residual_scale == 1 ? branch : branch.mul_(config_.residual_scale));
}

void Decoder::finish_rows(const Layer& layer, at::Tensor& x, const at::Tensor& heads, bool every_expert) const
{
    at::Tensor attention = product(heads, layer.output.weight, layer.output.bias); // (rows, hidden)
    if (config_.residual == Residual::parallel) {
        const at::Tensor normed = norm(x, layer.mlp_norm.weight.defined() ? layer.mlp_norm : layer.input_norm);
        add(x, attention);
        add(x, mlp(layer, normed, every_expert));
        return;
    }
    if (layer.attention_norm.weight.defined())
        attention = norm(attention, layer.attention_norm);
    const bool post = config_.residual == Residual::post_norm;
    const bool normed = config_.residual == Residual::normed;
    if (normed)
        x.copy_(norm(x, layer.input_norm));
    add(x, attention);
    if (post || normed)
        x.copy_(norm(x, post ? layer.input_norm : layer.mlp_norm));
    const bool ready = post || normed || !layer.mlp_norm.weight.defined();
    at::Tensor wide = mlp(layer, ready ? x : norm(x, layer.mlp_norm), every_expert);
    if (layer.mlp_output_norm.weight.defined())
        wide = norm(wide, layer.mlp_output_norm);
    add(x, wide);
    if (post)
        x.copy_(norm(x, layer.mlp_norm));
}

void Decoder::finish(std::int64_t layer, at::Tensor& x, const at::Tensor& attended, const FinishOptions& options) const
{
    const at::Tensor heads = attended.transpose(1, 2).reshape({ x.size(0), config_.heads * config_.head_dim });
    for (std::int64_t begin = 0; begin < x.size(0); begin += row_block_) {
        if (options.stop.stop_requested())
            throw Cancelled {};
        at::Tensor rows = x.slice(0, begin, begin + row_block_); // a view: adding to it adds to x
        finish_rows(layers_[static_cast<std::size_t>(layer)], rows, heads.slice(0, begin, begin + row_block_),
            options.every_expert);
    }
}

at::Tensor Decoder::logits(const at::Tensor& x, const std::stop_token& stop) const
{
    std::vector<at::Tensor> blocks; // (rows of the block, vocabulary)
    for_blocks(x, head_block_, stop, [&](const at::Tensor& block) { blocks.push_back(head(block).to(at::kFloat)); });
    return joined(blocks);
}

at::Tensor Decoder::head(const at::Tensor& x) const
{
    at::Tensor normed = config_.final_norm ? norm(x, final_norm_) : x;
    if (project_out_.weight.defined())
        normed = product(normed, project_out_.weight);
    at::Tensor logits = product(normed, head_.weight, head_.bias);
    if (config_.logits_divisor != 1)
        logits = logits.to(at::kFloat).div_(config_.logits_divisor);
    if (config_.final_softcap != 0)
        logits = logits.to(at::kFloat).div_(config_.final_softcap).tanh_().mul_(config_.final_softcap);
    refuse_cut_weights();
    return logits;
}

void Decoder::refuse_cut_weights() const
{
    for (const auto& map : maps_)
        map->refuse_cut();
}

} // namespace keepset
