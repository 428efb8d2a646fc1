#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "attn_logit_softcapping", "final_logit_softcapping", "head_dim",
        "hidden_act", "hidden_activation", "hidden_size", "intermediate_size", "layer_types", "max_position_embeddings",
        "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "query_pre_attn_scalar", "rms_norm_eps",
        "rope_parameters", "rope_scaling", "rope_theta", "sliding_window", "sliding_window_size", "tie_word_embeddings",
        "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_later_gemma(reader, 256000, 8192);
        config.attention_softcap = read_softcap(reader, "attn_logit_softcapping", 50);
        config.final_softcap = read_softcap(reader, "final_logit_softcapping", 30);
        config.ropes = { read_rope(reader, config) };
        std::vector<bool> sliding;
        for (std::int64_t layer = 0; layer < config.layers; ++layer)
            sliding.push_back((layer + 1) % 2 != 0);
        read_windows(
            reader, config, sliding, 4096); // by sliding_window alone: transformers reads no sliding_window_size
        return config;
    }

} // namespace

extern const Family gemma2;
const Family gemma2 { "gemma2", "Gemma2ForCausalLM",
    "Gemma with soft-capped attention scores and logits, a sliding window on every other layer, and norms behind "
    "attention and MLP too.",
    fields, read };

} // namespace keepset::family
