#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields
        = { "head_dim", "hidden_act", "hidden_size", "intermediate_size", "layer_norm_eps", "max_position_embeddings",
              "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "partial_rotary_factor",
              "qk_layernorm", "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader,
            { .vocabulary = 51200, .hidden = 2048, .intermediate = 8192, .layers = 24, .activation = "gelu_new" });
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_eps", 1e-5);
        config.residual = Residual::parallel;
        config.gated_mlp = false;
        config.qkv_bias = config.output_bias = config.mlp_bias = config.head_bias = true;
        config.ropes = { read_rope(reader, config, { .partial = 0.5, .partial_field = "partial_rotary_factor" }) };
        if (reader.flag("qk_layernorm")) {
            config.qk_norm = QkNorm::per_head;
            config.qk_norm_bias = true;
            config.names.q_norm = "layers.{}.self_attn.q_layernorm";
            config.names.k_norm = "layers.{}.self_attn.k_layernorm";
        }
        config.names.final_norm = "final_layernorm";
        config.names.mlp_norm = {};
        config.names.output = "layers.{}.self_attn.dense";
        config.names.up = "layers.{}.mlp.fc1";
        config.names.down = "layers.{}.mlp.fc2";
        return config;
    }

} // namespace

extern const Family phi;
const Family phi { "phi", "PhiForCausalLM",
    "A share of every head is rotated, attention and MLP are added to the same normed input, LayerNorm, a head with a "
    "bias.",
    fields, read };

} // namespace keepset::family
