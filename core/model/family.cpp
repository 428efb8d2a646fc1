#include "core/model/family.h"

#include <algorithm>
#include <cmath>

namespace keepset {

void set_layers(DecoderConfig& config)
{
    LayerConfig layer;
    layer.scale = 1 / std::sqrt(static_cast<double>(config.head_dim));
    config.per_layer.assign(static_cast<std::size_t>(config.layers), layer);
}

std::int64_t read_kv_heads(const ConfigReader& reader, std::int64_t heads, std::int64_t otherwise)
{
    if (reader.fields.contains("num_key_value_heads") || otherwise == 0)
        otherwise = heads;
    return reader.size("num_key_value_heads", otherwise);
}

DecoderConfig read_llama_sizes(const ConfigReader& reader, const SizeDefaults& defaults)
{
    DecoderConfig config;
    config.layers = reader.size("num_hidden_layers");
    config.heads = reader.size("num_attention_heads");
    config.kv_heads = read_kv_heads(reader, config.heads, defaults.kv_heads);
    config.hidden_size = config.embedding_size = reader.size("hidden_size");
    config.head_dim = reader.size("head_dim",
        defaults.head_dim > 0 ? defaults.head_dim : std::max<std::int64_t>(1, config.hidden_size / config.heads));
    config.intermediate_size = reader.size("intermediate_size");
    config.vocabulary = reader.size("vocab_size");
    config.max_context = reader.size("max_position_embeddings", defaults.max_context);
    config.norm_eps = reader.number("rms_norm_eps", defaults.norm_eps);
    config.activation = reader.activation("hidden_act", defaults.activation);
    config.tied_embeddings = reader.flag("tie_word_embeddings", defaults.tied_embeddings);
    set_layers(config);
    return config;
}

DecoderConfig read_plain_sizes(
    const ConfigReader& reader, const std::string& layers, const std::string& heads, const std::string& hidden)
{
    DecoderConfig config;
    config.layers = reader.size(layers);
    config.heads = config.kv_heads = reader.size(heads);
    config.hidden_size = config.embedding_size = reader.size(hidden);
    config.vocabulary = reader.size("vocab_size");
    if (config.hidden_size % config.heads != 0)
        reader.refuse(hidden + " (" + std::to_string(config.hidden_size) + ") is not a multiple of " + heads + " ("
            + std::to_string(config.heads) + ").");
    config.head_dim = config.hidden_size / config.heads;
    set_layers(config);
    return config;
}

void read_windows(const ConfigReader& reader, DecoderConfig& config, const std::vector<bool>& sliding)
{
    std::vector<bool> wanted = sliding;
    if (reader.has("layer_types")) {
        const std::vector<std::string> types = reader.texts("layer_types");
        if (static_cast<std::int64_t>(types.size()) != config.layers)
            reader.refuse("the field 'layer_types' has " + std::to_string(types.size()) + " entries for "
                + std::to_string(config.layers) + " layers.");
        for (std::size_t layer = 0; layer < types.size(); ++layer) {
            if (types[layer] != "full_attention" && types[layer] != "sliding_attention")
                reader.refuse(
                    "the field 'layer_types' asks for '" + types[layer] + "', which Keepset does not compute.",
                    "Known: full_attention, sliding_attention.");
            wanted[layer] = types[layer] == "sliding_attention";
        }
    }
    if (std::ranges::find(wanted, true) == wanted.end())
        return;
    const std::int64_t window = reader.size("sliding_window");
    for (std::size_t layer = 0; layer < wanted.size(); ++layer)
        config.per_layer[layer].window = wanted[layer] ? window : 0;
}

void read_one_window(const ConfigReader& reader, DecoderConfig& config)
{
    read_windows(reader, config, std::vector<bool>(config.per_layer.size(), reader.has("sliding_window")));
}

} // namespace keepset
