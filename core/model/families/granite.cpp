#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "attention_multiplier", "embedding_multiplier", "head_dim",
        "hidden_act", "hidden_size", "intermediate_size", "logits_scaling", "max_position_embeddings", "mlp_bias",
        "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "residual_multiplier", "rms_norm_eps",
        "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader);
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.mlp_bias = reader.flag("mlp_bias");
        config.ropes = { read_rope(reader, config) };
        config.embedding_scale = reader.number("embedding_multiplier", 1);
        config.residual_scale = reader.number("residual_multiplier", 1);
        config.logits_divisor = reader.positive("logits_scaling", 1);
        for (LayerConfig& layer : config.per_layer)
            layer.scale = reader.number("attention_multiplier", 1);
        return config;
    }

} // namespace

extern const Family granite;
const Family granite { "granite", "GraniteForCausalLM",
    "Llama with multipliers of embeddings, attention scores, what a layer adds, and logits.", fields, read };

} // namespace keepset::family
