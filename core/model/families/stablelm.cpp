#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "hidden_act", "hidden_size", "intermediate_size", "layer_norm_eps",
        "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
        "partial_rotary_factor", "qk_layernorm", "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings",
        "use_parallel_residual", "use_qkv_bias", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(
            reader, { .vocabulary = 50304, .hidden = 2560, .intermediate = 6912, .kv_heads = 32, .max_context = 4096 });
        if (config.head_dim * config.heads != config.hidden_size)
            reader.refuse_request("head_dim");
        config.norm = NormKind::layer;
        config.norm_eps = reader.number("layer_norm_eps", 1e-5);
        config.qkv_bias = reader.flag("use_qkv_bias");
        config.ropes = { read_rope(reader, config, { .partial = 0.25, .partial_field = "partial_rotary_factor" }) };
        if (reader.flag("use_parallel_residual")) {
            config.residual = Residual::parallel;
            config.names.mlp_norm = {};
        }
        if (reader.flag("qk_layernorm")) {
            config.qk_norm = QkNorm::each_head;
            config.names.q_norm = "layers.{}.self_attn.q_layernorm.norms.{}";
            config.names.k_norm = "layers.{}.self_attn.k_layernorm.norms.{}";
        }
        return config;
    }

} // namespace

extern const Family stablelm;
const Family stablelm { "stablelm", "StableLmForCausalLM",
    "A share of every head is rotated, LayerNorm, optionally a norm of its own on every head's queries and keys, and "
    "attention and MLP added to the same normed input.",
    fields, read };

} // namespace keepset::family
