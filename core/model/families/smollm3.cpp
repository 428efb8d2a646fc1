#include "core/model/family.h"

#include <array>

namespace keepset::family {

namespace {

    constexpr std::array fields = { "attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
        "layer_types", "max_position_embeddings", "max_window_layers", "mlp_bias", "no_rope_layer_interval",
        "no_rope_layers", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps",
        "rope_parameters", "rope_scaling", "rope_theta", "sliding_window", "tie_word_embeddings", "use_sliding_window",
        "vocab_size" };

    DecoderConfig read(const ConfigReader& reader)
    {
        DecoderConfig config = read_llama_sizes(reader,
            { .vocabulary = 128256,
                .hidden = 2048,
                .layers = 36,
                .heads = 16,
                .kv_heads = 4,
                .max_context = 32768,
                .tied_embeddings = true });
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.mlp_bias = reader.flag("mlp_bias");
        config.ropes = { read_rope(reader, config, { .theta = 2e6 }) };
        const std::int64_t interval = reader.size("no_rope_layer_interval", 4);
        std::vector<std::int64_t> rotated; // 1 where a layer rotates, in spite of the field's name
        for (std::int64_t layer = 0; layer < config.layers; ++layer)
            rotated.push_back((layer + 1) % interval != 0 ? 1 : 0);
        if (reader.has("no_rope_layers"))
            rotated = reader.whole_numbers("no_rope_layers");
        if (static_cast<std::int64_t>(rotated.size()) != config.layers)
            reader.refuse("the field 'no_rope_layers' has " + std::to_string(rotated.size()) + " entries for "
                + std::to_string(config.layers) + " layers.");
        const bool windows = reader.flag("use_sliding_window") && reader.has("sliding_window");
        std::vector<bool> sliding;
        for (std::size_t layer = 0; layer < rotated.size(); ++layer) {
            config.per_layer[layer].rope = rotated[layer] != 0 ? 0 : -1;
            sliding.push_back(windows && rotated[layer] == 0);
        }
        read_windows(reader, config, sliding);
        if (!reader.flag("use_sliding_window"))
            refuse_unused_windows(reader, config);
        return config;
    }

} // namespace

extern const Family smollm3;
const Family smollm3 { "smollm3", "SmolLM3ForCausalLM",
    "Llama of which every n-th layer, or those listed, leaves queries and keys unrotated.", fields, read };

} // namespace keepset::family
