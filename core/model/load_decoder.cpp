#include "core/model/decoder.h"

#include "core/error.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace keepset {

/// Takes tensors by name out of the weight files: checked, converted, counted.
class Decoder::Loader {
public:
    Loader(Decoder& decoder, const WeightFiles& weights, const Task& task)
        : decoder_(decoder)
        , weights_(weights)
        , task_(task)
        , begin_(std::chrono::steady_clock::now())
    {
        for (const auto& [name, tensor] : weights.tensors)
            total_bytes_ += static_cast<std::int64_t>(tensor.bytes);
    }

    /// `name` without the "model." that most folders put in front of all but the head.
    at::Tensor take(const std::string& name, std::vector<std::int64_t> shape)
    {
        if (task_.stop.stop_requested())
            throw Cancelled {};
        const StoredTensor& stored = find(name);
        if (stored.shape != shape)
            refuse(
                stored, name, "has shape " + text_of(stored.shape) + " where config.json asks for " + text_of(shape));
        at::Tensor tensor = on_device(stored, name);
        decoder_.parameters_ += tensor.numel();
        done_bytes_ += static_cast<std::int64_t>(stored.bytes);
        report();
        return tensor;
    }

    Linear linear(const std::string& name, std::int64_t out, std::int64_t in, bool bias)
    {
        Linear result { take(name + ".weight", { out, in }), {} };
        if (bias)
            result.bias = take(name + ".bias", { out });
        return result;
    }

private:
    static std::string text_of(const std::vector<std::int64_t>& shape)
    {
        std::string text;
        for (const std::int64_t size : shape)
            text += (text.empty() ? "" : "×") + std::to_string(size);
        return "(" + text + ")";
    }

    /// Names the tensor as its file spells it.
    [[noreturn]] void refuse(const StoredTensor& stored, const std::string& name, const std::string& what) const
    {
        const std::string spelling = weights_.tensors.contains("model." + name) ? "model." + name : name;
        throw Error(ErrorKind::input, "'" + stored.file + "': tensor '" + spelling + "' " + what + ".");
    }

    const StoredTensor& find(const std::string& name) const
    {
        for (const std::string& spelling : { "model." + name, name }) {
            if (const auto found = weights_.tensors.find(spelling); found != weights_.tensors.end())
                return found->second;
        }
        throw Error(ErrorKind::input,
            "'" + weights_.files.front().parent_path().string() + "': tensor 'model." + name
                + "' is missing from the weights.",
            "Does config.json belong to them?");
    }

    at::Tensor on_device(const StoredTensor& stored, const std::string& name) const
    {
        const at::ScalarType type = stored.dtype == "F32" ? at::kFloat
            : stored.dtype == "BF16"                      ? at::kBFloat16
            : stored.dtype == "F16"                       ? at::kHalf
                                                          : at::ScalarType::Undefined;
        if (type == at::ScalarType::Undefined)
            refuse(stored, name, "has dtype " + stored.dtype + "; F32, BF16 and F16 are read");
        at::Tensor source;
        if (reinterpret_cast<std::uintptr_t>(stored.data) % c10::elementSize(type) != 0) {
            source = at::empty(stored.shape, type);
            std::memcpy(source.mutable_data_ptr(), stored.data, stored.bytes);
        } else {
            // The maps live as long as a tensor looks at them; nothing ever writes to one.
            source = at::from_blob(
                const_cast<std::byte*>(stored.data), stored.shape, [maps = weights_.maps](void*) {}, type);
        }
        return source.to(decoder_.device_, decoder_.dtype_);
    }

    void report() const
    {
        if (!task_.progress)
            return;
        const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        const double left = elapsed * static_cast<double>(total_bytes_ - done_bytes_)
            / static_cast<double>(std::max<std::int64_t>(1, done_bytes_));
        task_.progress({ "reading weights", "bytes", done_bytes_, total_bytes_, elapsed, left });
    }

    Decoder& decoder_;
    const WeightFiles& weights_;
    const Task& task_;
    std::chrono::steady_clock::time_point begin_;
    std::int64_t total_bytes_ = 0;
    std::int64_t done_bytes_ = 0;
};

Decoder::Decoder(
    const DecoderConfig& config, const WeightFiles& weights, at::Device device, at::ScalarType dtype, const Task& task)
    : config_(config)
    , device_(device)
    , dtype_(dtype)
{
    Loader loader(*this, weights, task);
    const std::int64_t hidden = config.hidden_size;
    const std::int64_t wide = config.intermediate_size;
    const std::int64_t queries = config.heads * config.head_dim;
    const std::int64_t keys = config.kv_heads * config.head_dim;
    embedding_ = loader.take("embed_tokens.weight", { config.vocabulary, hidden });
    for (std::int64_t index = 0; index < config.layers; ++index) {
        const std::string name = "layers." + std::to_string(index) + ".";
        Layer layer;
        layer.input_norm = loader.take(name + "input_layernorm.weight", { hidden });
        layer.q = loader.linear(name + "self_attn.q_proj", queries, hidden, config.qkv_bias);
        layer.k = loader.linear(name + "self_attn.k_proj", keys, hidden, config.qkv_bias);
        layer.v = loader.linear(name + "self_attn.v_proj", keys, hidden, config.qkv_bias);
        layer.output = loader.linear(name + "self_attn.o_proj", hidden, queries, config.output_bias);
        layer.mlp_norm = loader.take(name + "post_attention_layernorm.weight", { hidden });
        layer.gate = loader.linear(name + "mlp.gate_proj", wide, hidden, config.mlp_bias);
        layer.up = loader.linear(name + "mlp.up_proj", wide, hidden, config.mlp_bias);
        layer.down = loader.linear(name + "mlp.down_proj", hidden, wide, config.mlp_bias);
        layers_.push_back(std::move(layer));
    }
    final_norm_ = loader.take("norm.weight", { hidden });
    head_ = config.tied_embeddings ? embedding_ : loader.take("lm_head.weight", { config.vocabulary, hidden });
    inverse_frequencies_ = inverse_frequencies(config).to(device);
    // Rows a block of the MLP takes: about a tenth of a second on two cores, and bounded work space on any device.
    const std::int64_t layer_parameters = std::max<std::int64_t>(1, hidden * (2 * queries + 2 * keys + 3 * wide));
    const std::int64_t wanted = device.is_cuda() ? 16384 : std::int64_t { 6'000'000'000 } / layer_parameters;
    row_block_ = std::clamp<std::int64_t>(wanted, 64, 16384);
}

} // namespace keepset
