#include "core/error.h"
#include "core/model/decoder.h"
#include "core/model/weight_reader.h"
#include "core/task.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace keepset {

namespace {

    /// How much falls off from one key to the next, a head each (heads) float32; Hugging Face: _get_alibi_slopes.
    at::Tensor alibi_slopes(std::int64_t heads)
    {
        const auto power = static_cast<std::int64_t>(std::exp2(std::floor(std::log2(static_cast<double>(heads)))));
        const auto base_of = [](std::int64_t count) {
            return static_cast<float>(std::exp2(-std::exp2(-(std::log2(static_cast<double>(count)) - 3))));
        };
        std::vector<float> slopes;
        for (std::int64_t head = 0; head < power; ++head)
            slopes.push_back(std::pow(base_of(power), static_cast<float>(head + 1)));
        for (std::int64_t head = 0; head < heads - power; ++head)
            slopes.push_back(std::pow(base_of(2 * power), static_cast<float>(2 * head + 1)));
        return at::tensor(slopes, at::kFloat);
    }

    /// Name with ".weight" or ".bias" behind every alternative.
    std::string with(const std::string& names, const std::string& ending)
    {
        std::string result;
        for (const char letter : names)
            result += letter == '|' ? ending + "|" : std::string(1, letter);
        result += ending;
        return result;
    }

    /// transformers fills a matrix that is missing with random numbers and goes on; the results would be noise.
    void refuse_no_head(bool has_head, const WeightFiles& weights)
    {
        if (!has_head)
            throw Error(ErrorKind::input,
                "'" + weights.files.front().parent_path().string()
                    + "': tensor 'lm_head.weight' is missing from the weights, and config.json does not tie the output "
                      "matrix to the embedding.",
                "Is the download complete? If the embedding is meant, set \"tie_word_embeddings\": true in "
                "config.json.");
    }

} // namespace

/// Puts a decoder's weights together from the tensors of its folder.
class Decoder::Loader {
public:
    Loader(Decoder& decoder, WeightReader& reader)
        : config_(decoder.config_)
        , names_(decoder.config_.names)
        , reader_(reader)
    {
    }

    at::Tensor weight(const std::string& name, const std::vector<std::int64_t>& shape)
    {
        return reader_.take(with(name, ".weight"), shape);
    }

    /// Stored (in, out) in the layers of GPT-2.
    Linear linear(const std::string& name, std::int64_t out, std::int64_t in, bool bias)
    {
        Linear result;
        result.weight = config_.names.transposed ? weight(name, { in, out }).t() : weight(name, { out, in });
        if (bias)
            result.bias = reader_.take(with(name, ".bias"), { out });
        return result;
    }

    Norm norm(const std::string& name, const std::vector<std::int64_t>& shape, bool bias)
    {
        if (name.empty())
            return {};
        const bool is_float = config_.norm == NormKind::rms_float32 || config_.norm == NormKind::rms_plus_one;
        Norm result;
        result.weight = is_float ? reader_.take_as(with(name, ".weight"), shape, at::kFloat) : weight(name, shape);
        if (config_.norm == NormKind::rms_plus_one)
            result.weight = result.weight + 1;
        if (bias)
            result.bias = reader_.take(with(name, ".bias"), shape);
        return result;
    }

    Norm stream_norm(const std::string& name)
    {
        if (!config_.norm_weights && !name.empty())
            return { at::ones({ config_.hidden_size }, at::TensorOptions(reader_.dtype()).device(reader_.device())),
                {} };
        return norm(name, { config_.hidden_size }, config_.norm == NormKind::layer);
    }

    Layer layer(std::int64_t index)
    {
        const auto name = [&](const std::string& names) { return filled(names, { index }); };
        Layer layer;
        layer.input_norm = stream_norm(name(names_.input_norm));
        layer.attention_norm = stream_norm(name(names_.attention_norm));
        layer.mlp_norm = stream_norm(name(names_.mlp_norm));
        layer.mlp_output_norm = stream_norm(name(names_.mlp_output_norm));
        take_qkv(layer, index);
        layer.qkv = joined({ &layer.q, &layer.k, &layer.v });
        layer.q_norm = head_norm(name(names_.q_norm), config_.heads);
        layer.k_norm = head_norm(name(names_.k_norm), config_.kv_heads);
        layer.output
            = linear(name(names_.output), config_.hidden_size, config_.heads * config_.head_dim, config_.output_bias);
        if (config_.per_layer[static_cast<std::size_t>(index)].experts)
            take_experts(layer, index);
        else
            layer.mlp = mlp(index);
        return layer;
    }

private:
    /// On a GPU one product takes the place of several: their weights, and biases, in one piece, of which the parts
    /// become views. The CPU keeps the pages of the file where it can use them as they are.
    static Linear joined(std::initializer_list<Linear*> parts)
    {
        std::vector<at::Tensor> weights;
        std::vector<at::Tensor> biases;
        for (const Linear* part : parts) {
            weights.push_back(part->weight);
            if (part->bias.defined())
                biases.push_back(part->bias);
        }
        if (!weights.front().is_cuda() || (!biases.empty() && biases.size() != weights.size()))
            return {};
        Linear all { at::cat(weights), biases.empty() ? at::Tensor() : at::cat(biases) };
        std::int64_t begin = 0;
        for (Linear* part : parts) {
            const std::int64_t count = part->weight.size(0);
            *part = rows(all, begin, count);
            begin += count;
        }
        return all;
    }

    /// Rows [begin, begin + count) of weight and bias.
    static Linear rows(const Linear& fused, std::int64_t begin, std::int64_t count)
    {
        return { fused.weight.narrow(0, begin, count),
            fused.bias.defined() ? fused.bias.narrow(0, begin, count) : at::Tensor() };
    }

    /// Of rows that stand together by kv head, `count` heads of each from the `first` on.
    Linear heads_of(const Linear& fused, std::int64_t first, std::int64_t count) const
    {
        const std::int64_t together = config_.heads / config_.kv_heads + 2;
        const auto part = [&](const at::Tensor& tensor) {
            if (!tensor.defined())
                return tensor;
            return tensor.reshape({ config_.kv_heads, together, config_.head_dim, -1 })
                .narrow(1, first, count)
                .reshape(tensor.dim() == 1 ? std::vector<std::int64_t> { -1 }
                                           : std::vector<std::int64_t> { -1, tensor.size(1) });
        };
        return { part(fused.weight), part(fused.bias) };
    }

    void take_qkv(Layer& layer, std::int64_t index)
    {
        const std::int64_t queries = config_.heads * config_.head_dim;
        const std::int64_t keys = config_.kv_heads * config_.head_dim;
        const std::int64_t hidden = config_.hidden_size;
        const std::string fused_name = filled(names_.qkv, { index });
        if (!fused_name.empty() && (names_.q.empty() || reader_.has(with(fused_name, ".weight")))) {
            const Linear fused = linear(fused_name, queries + 2 * keys, hidden, config_.qkv_bias);
            if (names_.qkv_rows == QkvRows::blocks) {
                layer.q = rows(fused, 0, queries);
                layer.k = rows(fused, queries, keys);
                layer.v = rows(fused, queries + keys, keys);
                return;
            }
            const std::int64_t group = config_.heads / config_.kv_heads;
            layer.q = heads_of(fused, 0, group);
            layer.k = heads_of(fused, group, 1);
            layer.v = heads_of(fused, group + 1, 1);
            return;
        }
        layer.q = linear(filled(names_.q, { index }), queries, hidden, config_.qkv_bias);
        layer.k = linear(filled(names_.k, { index }), keys, hidden, config_.qkv_bias);
        layer.v = linear(filled(names_.v, { index }), keys, hidden, config_.qkv_bias);
    }

    Norm head_norm(const std::string& name, std::int64_t heads)
    {
        if (config_.qk_norm == QkNorm::none || name.empty())
            return {};
        if (config_.qk_norm == QkNorm::whole)
            return norm(name, { heads * config_.head_dim }, config_.qk_norm_bias);
        if (config_.qk_norm == QkNorm::per_head)
            return norm(name, { config_.head_dim }, config_.qk_norm_bias);
        std::vector<at::Tensor> weights; // a head each, (head_dim)
        for (std::int64_t head = 0; head < heads; ++head)
            weights.push_back(weight(filled(name, { head }), { config_.head_dim }));
        return { at::stack(weights), {} };
    }

    Mlp mlp(std::int64_t index)
    {
        const std::int64_t wide = config_.intermediate_size;
        const std::int64_t hidden = config_.hidden_size;
        const std::string fused_name = filled(names_.gate_up, { index });
        Mlp mlp;
        if (config_.gated_mlp && !fused_name.empty() && reader_.has(with(fused_name, ".weight"))) {
            const Linear fused = linear(fused_name, 2 * wide, hidden, config_.mlp_bias);
            mlp.gate = rows(fused, 0, wide);
            mlp.up = rows(fused, wide, wide);
        } else {
            if (config_.gated_mlp)
                mlp.gate = linear(filled(names_.gate, { index }), wide, hidden, config_.mlp_bias);
            mlp.up = linear(filled(names_.up, { index }), wide, hidden, config_.mlp_bias);
        }
        mlp.down = linear(filled(names_.down, { index }), hidden, wide, config_.mlp_bias);
        if (config_.gated_mlp)
            mlp.gate_up = joined({ &mlp.gate, &mlp.up });
        return mlp;
    }

    void take_experts(Layer& layer, std::int64_t index)
    {
        const std::int64_t wide = config_.expert_size;
        const std::int64_t hidden = config_.hidden_size;
        layer.router = linear(filled(names_.router, { index }), config_.experts, hidden, false);
        const std::string stacked = filled(names_.experts_gate_up, { index });
        if (reader_.has(stacked)) {
            const at::Tensor gate_up = reader_.take(stacked, { config_.experts, 2 * wide, hidden });
            const at::Tensor down
                = reader_.take(filled(names_.experts_down, { index }), { config_.experts, hidden, wide });
            take_views(layer, gate_up, down);
            return;
        }
        for (std::int64_t expert = 0; expert < config_.experts; ++expert)
            layer.experts.push_back({ linear(filled(names_.expert_gate, { index, expert }), wide, hidden, false),
                linear(filled(names_.expert_up, { index, expert }), wide, hidden, false),
                linear(filled(names_.expert_down, { index, expert }), hidden, wide, false) });
        if (reader_.device().is_cuda()) {
            std::vector<at::Tensor> gate_up; // an expert each, (2 * wide, hidden)
            std::vector<at::Tensor> down;
            for (const Mlp& expert : layer.experts) {
                gate_up.push_back(at::cat({ expert.gate.weight, expert.up.weight }));
                down.push_back(expert.down.weight);
            }
            layer.experts.clear();
            take_views(layer, at::stack(gate_up), at::stack(down));
        }
    }

    /// All experts of a layer from gate_up (experts, 2 * wide, hidden) and down (experts, hidden, wide).
    void take_views(Layer& layer, const at::Tensor& gate_up, const at::Tensor& down) const
    {
        const std::int64_t wide = config_.expert_size;
        for (std::int64_t expert = 0; expert < config_.experts; ++expert)
            layer.experts.push_back(
                { { gate_up[expert].narrow(0, 0, wide), {} }, { gate_up[expert].narrow(0, wide, wide), {} },
                    { down[expert], {} }, { gate_up.is_cuda() ? gate_up[expert] : at::Tensor(), {} } });
        layer.experts_gate_up = gate_up;
        layer.experts_down = down;
    }

    const DecoderConfig& config_;
    const WeightNames& names_;
    WeightReader& reader_;
};

Decoder::Decoder(const DecoderConfig& config, const WeightFiles& weights, Placement placement, at::ScalarType dtype,
    const Task& task)
    : config_(config)
    , placement_(std::move(placement))
    , dtype_(dtype)
{
    WeightReader reader(weights, config_, device(), dtype, task);
    Loader loader(*this, reader);
    const WeightNames& names = config_.names;
    const std::int64_t hidden = config.hidden_size;
    const std::int64_t narrow = config.embedding_size;
    const std::string head = with(names.head, ".weight");
    const std::string embedding = with(names.embedding, ".weight");
    // Where only one of two tied matrices is stored it is both, whichever it is, as in transformers.
    const bool head_is_both = config.tied_embeddings && !reader.has(embedding) && reader.has(head);
    embedding_ = reader.take(head_is_both ? head : embedding, { config.vocabulary, narrow });
    if (config.positions == PositionKind::learned)
        positions_ = loader.weight(names.positions, { config.max_context + config.learned_offset, hidden });
    if (config.positions == PositionKind::alibi)
        alibi_slopes_ = alibi_slopes(config.heads).to(device());
    embedding_norm_ = loader.stream_norm(names.embedding_norm);
    if (narrow != hidden) {
        project_in_.weight = loader.weight(names.project_in, { hidden, narrow });
        project_out_.weight = loader.weight(names.project_out, { narrow, hidden });
    }
    for (std::int64_t index = 0; index < config.layers; ++index) {
        reader.use(placement_.layers[static_cast<std::size_t>(index)]);
        layers_.push_back(loader.layer(index));
    }
    reader.use(device());
    if (config.final_norm)
        final_norm_ = loader.stream_norm(names.final_norm);
    if (head_is_both || (config.tied_embeddings && (!reader.has(head) || reader.equal(head, embedding)))) {
        head_.weight = embedding_;
        reader.skip(head);
    } else {
        refuse_no_head(reader.has(head), weights);
        head_.weight = reader.take(head, { config.vocabulary, narrow });
        // A head that differs from the embedding is a head of its own, whatever the config says, as in transformers.
        if (config.tied_embeddings)
            notes_.emplace_back("config.json ties the output matrix to the embedding (tie_word_embeddings), but the "
                                "weight files hold two different ones: each is used for itself, as transformers does.");
    }
    if (config.head_bias)
        head_.bias = reader.take(with(names.head, ".bias"), { config.vocabulary });
    std::ranges::move(reader.check_left_over(), std::back_inserter(notes_));
    parameters_ = reader.parameters();
    if (reader.in_place())
        maps_ = weights.maps;
    for (const auto& map : weights.maps)
        map->refuse_cut();
    // Rows a block takes: about a tenth of a second on these cores, and bounded work space on any device. Below the
    // least rows the weights' way from memory counts and fewer rows are hardly quicker.
    const std::int64_t attention = 2 * config.head_dim * (config.heads + config.kv_heads);
    const std::int64_t wide = config.intermediate_size + config.experts_per_token * config.expert_size;
    const std::int64_t layer_parameters = std::max<std::int64_t>(1, hidden * (attention + 3 * wide));
    const std::int64_t products = std::int64_t { 2'000'000'000 } * std::max(1, at::get_num_threads());
    const std::int64_t wanted = device().is_cuda() ? 16384 : products / layer_parameters;
    row_block_ = std::clamp<std::int64_t>(wanted, 16, 16384);
    head_block_ = std::clamp<std::int64_t>(products / (config.vocabulary * narrow), 16, 16384);
}

} // namespace keepset
