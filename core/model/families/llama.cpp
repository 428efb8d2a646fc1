#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "max_position_embeddings", "mlp_bias", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
        "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader);
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.mlp_bias = reader.flag("mlp_bias");
        config.ropes = { read_rope(reader, config) };
        return config;
    }

} // namespace

extern const Family llama;
const Family llama { "llama", "LlamaForCausalLM",
    "Llama 1 to 3.3 and the many models built like it: grouped-query attention, rotary positions, gated MLP.", fields,
    read };

} // namespace keepset::family
