#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps",
        "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader, { .vocabulary = 50304, .norm_eps = 1e-5 });
        config.norm = NormKind::rms_float32;
        config.rotate_in_float32 = true;
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.ropes = { read_rope(reader, config) };
        config.qk_norm = QkNorm::whole;
        config.names.q_norm = "layers.{}.self_attn.q_norm";
        config.names.k_norm = "layers.{}.self_attn.k_norm";
        config.names.input_norm = {};
        config.names.attention_norm = "layers.{}.post_attention_layernorm";
        config.names.mlp_norm = {};
        config.names.mlp_output_norm = "layers.{}.post_feedforward_layernorm";
        return config;
    }

} // namespace

extern const Family olmo2;
const Family olmo2 { "olmo2", "Olmo2ForCausalLM",
    "Norms behind attention and MLP instead of before them, and over whole queries and keys.", fields, read };

} // namespace keepset::family
