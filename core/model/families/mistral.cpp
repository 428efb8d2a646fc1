#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps",
        "rope_parameters", "rope_scaling", "rope_theta", "sliding_window", "tie_word_embeddings", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config
            = read_llama_sizes(reader, { .intermediate = 14336, .kv_heads = 8, .max_context = 131072 });
        config.ropes = { read_rope(reader, config) };
        read_one_window(reader, config, 4096);
        return config;
    }

} // namespace

extern const Family mistral;
const Family mistral { "mistral", "MistralForCausalLM", "Llama with a sliding window on every layer.", fields, read };

} // namespace keepset::family
