#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "head_dim", "hidden_act", "hidden_size", "intermediate_size", "layer_types",
        "max_position_embeddings", "max_window_layers", "num_attention_heads", "num_hidden_layers",
        "num_key_value_heads", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta", "sliding_window",
        "tie_word_embeddings", "use_sliding_window", "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(
            reader, { .vocabulary = 151936, .intermediate = 22016, .kv_heads = 32, .max_context = 32768 });
        config.ropes = { read_rope(reader, config) };
        config.qkv_bias = true;
        read_upper_windows(reader, config);
        return config;
    }

} // namespace

extern const Family qwen2;
const Family qwen2 { "qwen2", "Qwen2ForCausalLM",
    "Llama with biases on queries, keys and values, and a sliding window on the upper layers where it is switched on.",
    fields, read };

} // namespace keepset::family
