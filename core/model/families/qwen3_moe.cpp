#include "core/model/family.h"

#include <algorithm>
#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "decoder_sparse_step", "head_dim", "hidden_act", "hidden_size",
        "intermediate_size", "max_position_embeddings", "max_window_layers", "mlp_only_layers", "moe_intermediate_size",
        "norm_topk_prob", "num_attention_heads", "num_experts", "num_experts_per_tok", "num_hidden_layers",
        "num_key_value_heads", "num_local_experts", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
        "sliding_window", "tie_word_embeddings", "use_sliding_window", "vocab_size" };

    void read_experts(const ConfigReader& reader, DecoderConfig& config)
    {
        config.experts = reader.size(reader.spelling({ "num_experts", "num_local_experts" }), 128);
        config.experts_per_token = reader.size("num_experts_per_tok", 8);
        config.expert_size = reader.size("moe_intermediate_size", 768);
        config.norm_topk = reader.flag("norm_topk_prob");
        config.round_routing = true;
        const std::int64_t step = reader.size("decoder_sparse_step", 1);
        const std::vector<std::int64_t> dense
            = reader.has("mlp_only_layers") ? reader.whole_numbers("mlp_only_layers") : std::vector<std::int64_t> {};
        for (std::int64_t layer = 0; layer < config.layers; ++layer)
            config.per_layer[static_cast<std::size_t>(layer)].experts
                = (layer + 1) % step == 0 && std::ranges::find(dense, layer) == dense.end();
        config.names.router = "layers.{}.mlp.gate";
        config.names.expert_gate = "layers.{}.mlp.experts.{}.gate_proj";
        config.names.expert_up = "layers.{}.mlp.experts.{}.up_proj";
        config.names.expert_down = "layers.{}.mlp.experts.{}.down_proj";
        config.names.experts_gate_up = "layers.{}.mlp.experts.gate_up_proj";
        config.names.experts_down = "layers.{}.mlp.experts.down_proj";
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader,
            { .vocabulary = 151936,
                .hidden = 2048,
                .intermediate = 6144,
                .layers = 24,
                .kv_heads = 4,
                .max_context = 32768 });
        config.ropes = { read_rope(reader, config) };
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.qk_norm = QkNorm::per_head;
        config.names.q_norm = "layers.{}.self_attn.q_norm";
        config.names.k_norm = "layers.{}.self_attn.k_norm";
        read_experts(reader, config);
        if (reader.flag("use_sliding_window")) // on all layers, whatever max_window_layers says
            read_one_window(reader, config, 4096);
        return config;
    }

} // namespace

extern const Family qwen3_moe;
const Family qwen3_moe { "qwen3_moe", "Qwen3MoeForCausalLM",
    "Qwen 3 with a mixture of experts in every layer, in every n-th, or in all but those listed.", fields, read };

} // namespace keepset::family
