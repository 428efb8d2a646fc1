#include "core/model/family.h"

#include <array>
#include <cmath>

namespace keepset::family {

namespace {

    constexpr std::array fields
        = { "attention_bias", "head_dim", "hidden_act", "hidden_activation", "hidden_size", "intermediate_size",
              "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
              "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader,
            { .vocabulary = 256000,
                .hidden = 3072,
                .intermediate = 24576,
                .layers = 28,
                .heads = 16,
                .kv_heads = 16,
                .head_dim = 256,
                .max_context = 8192,
                .tied_embeddings = true,
                .activation = "gelu_pytorch_tanh" });
        // The first folders said "gelu" and meant its tanh form.
        if (config.activation == Activation::gelu)
            config.activation = Activation::gelu_tanh;
        if (reader.activation("hidden_activation", "gelu_pytorch_tanh") != config.activation)
            reader.refuse_request("hidden_activation");
        config.norm = NormKind::rms_plus_one;
        config.embedding_scale = std::sqrt(static_cast<double>(config.hidden_size));
        config.round_embedding_scale = true;
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.ropes = { read_rope(reader, config) };
        return config;
    }

} // namespace

extern const Family gemma;
const Family gemma { "gemma", "GemmaForCausalLM",
    "Norms that multiply by weight + 1, embeddings scaled by the root of the hidden size, a gated MLP with tanh GELU.",
    fields, read };

} // namespace keepset::family
