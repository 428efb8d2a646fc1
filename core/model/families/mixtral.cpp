#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "max_position_embeddings", "num_attention_heads", "num_experts", "num_experts_per_tok", "num_hidden_layers",
        "num_key_value_heads", "num_local_experts", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
        "sliding_window", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(
            reader, { .intermediate = 14336, .kv_heads = 8, .max_context = 131072, .norm_eps = 1e-5 });
        config.ropes = { read_rope(reader, config, { .theta = 1e6 }) };
        read_one_window(reader, config);
        config.experts = reader.size(reader.spelling({ "num_local_experts", "num_experts" }), 8);
        config.experts_per_token = reader.size("num_experts_per_tok", 2);
        config.expert_size = config.intermediate_size;
        config.norm_topk = true;
        for (LayerConfig& layer : config.per_layer)
            layer.experts = true;
        config.names.router = "layers.{}.mlp.gate|layers.{}.block_sparse_moe.gate";
        config.names.expert_gate = "layers.{}.block_sparse_moe.experts.{}.w1|layers.{}.mlp.experts.{}.w1";
        config.names.expert_up = "layers.{}.block_sparse_moe.experts.{}.w3|layers.{}.mlp.experts.{}.w3";
        config.names.expert_down = "layers.{}.block_sparse_moe.experts.{}.w2|layers.{}.mlp.experts.{}.w2";
        config.names.experts_gate_up = "layers.{}.mlp.experts.gate_up_proj";
        config.names.experts_down = "layers.{}.mlp.experts.down_proj";
        return config;
    }

} // namespace

extern const Family mixtral;
const Family mixtral { "mixtral", "MixtralForCausalLM",
    "Mistral with a mixture of experts in every layer: a token's most probable experts, weighted to sum to 1.", fields,
    read };

} // namespace keepset::family
