#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "_sliding_window_pattern", "attention_bias", "final_logit_softcapping", "head_dim",
        "hidden_act", "hidden_activation", "hidden_size", "intermediate_size", "layer_types", "max_position_embeddings",
        "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "query_pre_attn_scalar", "rms_norm_eps",
        "rope_local_base_freq", "rope_parameters", "rope_scaling", "rope_theta", "sliding_window",
        "sliding_window_pattern", "tie_word_embeddings", "vocab_size" };

    /// The rope of full layers, then that of sliding ones.
    std::vector<RopeConfig> read_ropes(const ConfigReader& reader, const DecoderConfig& config)
    {
        RopeConfig full;
        full.theta = reader.positive("rope_theta", 1e6);
        full.dims = config.head_dim;
        RopeConfig sliding;
        sliding.theta = reader.positive("rope_local_base_freq", 10000);
        sliding.dims = config.head_dim;
        if (reader.has("rope_parameters")) {
            const ConfigReader ropes = reader.part("rope_parameters");
            constexpr std::array known = { "full_attention", "sliding_attention" };
            ropes.refuse_other_parts(known);
            if (ropes.has("full_attention"))
                full = read_rope_object(ropes.part("full_attention"), config, full, {}, 0);
            if (ropes.has("sliding_attention"))
                sliding = read_rope_object(ropes.part("sliding_attention"), config, sliding, {}, 0);
        }
        if (reader.has("rope_scaling")) {
            if (reader.has("rope_parameters"))
                reader.refuse("the fields 'rope_scaling' and 'rope_parameters' both say how positions are scaled.",
                    "Which of the two is meant?");
            full = read_rope_object(reader.part("rope_scaling"), config, full, {}, 0);
        }
        return { full, sliding };
    }

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_later_gemma(reader, 262208, 131072);
        config.final_softcap = read_softcap(reader, "final_logit_softcapping", 0);
        config.qk_norm = QkNorm::per_head;
        config.names.q_norm = "layers.{}.self_attn.q_norm";
        config.names.k_norm = "layers.{}.self_attn.k_norm";
        const std::int64_t pattern
            = reader.size(reader.spelling({ "sliding_window_pattern", "_sliding_window_pattern" }), 6);
        std::vector<bool> sliding;
        for (std::int64_t layer = 0; layer < config.layers; ++layer)
            sliding.push_back((layer + 1) % pattern != 0);
        read_windows(reader, config, sliding, 4096);
        config.ropes = read_ropes(reader, config);
        for (LayerConfig& layer : config.per_layer)
            layer.rope = layer.window > 0 ? 1 : 0;
        return config;
    }

} // namespace

extern const Family gemma3_text;
const Family gemma3_text { "gemma3_text", "Gemma3ForCausalLM",
    "Gemma 2 with a norm on every head's queries and keys instead of soft-capped scores, and a rotary base of its own "
    "for sliding layers.",
    fields, read };

} // namespace keepset::family
