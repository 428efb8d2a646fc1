#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
        "original_max_position_embeddings", "partial_rotary_factor", "rms_norm_eps", "rope_parameters", "rope_scaling",
        "rope_theta", "sliding_window", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader,
            { .vocabulary = 32064, .hidden = 3072, .intermediate = 8192, .max_context = 4096, .norm_eps = 1e-5 });
        config.ropes
            = { read_rope(reader, config, { .partial_field = "partial_rotary_factor", .original_context = 4096 }) };
        read_one_window(reader, config);
        config.names.qkv = "layers.{}.self_attn.qkv_proj";
        config.names.gate_up = "layers.{}.mlp.gate_up_proj";
        return config;
    }

} // namespace

extern const Family phi3;
const Family phi3 { "phi3", "Phi3ForCausalLM",
    "Llama with fused projections, longrope scaling, a share of every head rotated, and a sliding window.", fields,
    read };

} // namespace keepset::family
