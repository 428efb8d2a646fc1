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
    if (reader.present("num_key_value_heads") || otherwise == 0)
        otherwise = heads;
    return reader.size("num_key_value_heads", otherwise);
}

namespace {

    /// Memory is taken for every layer before a weight file is looked at.
    std::int64_t read_layers(const ConfigReader& reader, const std::string& name, std::int64_t otherwise)
    {
        constexpr std::int64_t most = 10'000;
        const std::int64_t layers = reader.size(name, otherwise);
        if (layers > most)
            reader.refuse("the field '" + reader.prefix + name + "' asks for " + std::to_string(layers)
                + " layers; Keepset opens models of up to " + std::to_string(most) + ".");
        return layers;
    }

    void refuse_uneven_heads(const ConfigReader& reader, const DecoderConfig& config, const SizeNames& names)
    {
        if (config.hidden_size % config.heads != 0)
            reader.refuse(names.hidden + " (" + std::to_string(config.hidden_size) + ") is not a multiple of "
                + names.heads + " (" + std::to_string(config.heads) + ").");
    }

} // namespace

DecoderConfig read_llama_sizes(const ConfigReader& reader, const SizeDefaults& defaults)
{
    DecoderConfig config;
    config.layers = read_layers(reader, "num_hidden_layers", defaults.layers);
    config.heads = reader.size("num_attention_heads", defaults.heads);
    config.kv_heads = read_kv_heads(reader, config.heads, defaults.kv_heads);
    config.hidden_size = config.embedding_size = reader.size("hidden_size", defaults.hidden);
    if (!reader.has("head_dim") && defaults.head_dim == 0)
        refuse_uneven_heads(reader, config, {});
    config.head_dim
        = reader.size("head_dim", defaults.head_dim > 0 ? defaults.head_dim : config.hidden_size / config.heads);
    config.intermediate_size = reader.size("intermediate_size", defaults.intermediate);
    config.vocabulary = reader.size("vocab_size", defaults.vocabulary);
    config.max_context = reader.size("max_position_embeddings", defaults.max_context);
    config.norm_eps = reader.number("rms_norm_eps", defaults.norm_eps);
    config.activation = reader.activation("hidden_act", defaults.activation);
    config.tied_embeddings = reader.flag("tie_word_embeddings", defaults.tied_embeddings);
    set_layers(config);
    return config;
}

DecoderConfig read_plain_sizes(const ConfigReader& reader, const SizeDefaults& defaults, const SizeNames& names)
{
    DecoderConfig config;
    config.layers = read_layers(reader, names.layers, defaults.layers);
    config.heads = config.kv_heads = reader.size(names.heads, defaults.heads);
    config.hidden_size = config.embedding_size = reader.size(names.hidden, defaults.hidden);
    config.vocabulary = reader.size("vocab_size", defaults.vocabulary);
    refuse_uneven_heads(reader, config, names);
    config.head_dim = config.hidden_size / config.heads;
    set_layers(config);
    return config;
}

void read_windows(
    const ConfigReader& reader, DecoderConfig& config, const std::vector<bool>& sliding, std::int64_t otherwise)
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
    const bool silent = otherwise > 0 && !reader.present("sliding_window");
    const std::int64_t window = silent ? otherwise : reader.size("sliding_window");
    for (std::size_t layer = 0; layer < wanted.size(); ++layer)
        config.per_layer[layer].window = wanted[layer] ? window : 0;
}

void read_one_window(const ConfigReader& reader, DecoderConfig& config, std::int64_t otherwise)
{
    const bool wanted = reader.present("sliding_window") ? reader.has("sliding_window") : otherwise > 0;
    read_windows(reader, config, std::vector<bool>(config.per_layer.size(), wanted), otherwise);
}

void refuse_unused_windows(const ConfigReader& reader, const DecoderConfig& config)
{
    if (std::ranges::any_of(config.per_layer, [](const LayerConfig& layer) { return layer.window > 0; }))
        reader.refuse("the field 'layer_types' asks for sliding attention, which 'use_sliding_window' switches off.",
            "Which of the two is meant?");
}

void read_upper_windows(const ConfigReader& reader, DecoderConfig& config)
{
    constexpr std::int64_t usual_window = 4096;
    const bool silent = !reader.present("sliding_window");
    const bool on = reader.flag("use_sliding_window") && (silent || reader.has("sliding_window"));
    const std::int64_t first = reader.has("max_window_layers") ? reader.whole("max_window_layers") : 28;
    std::vector<bool> sliding;
    for (std::int64_t layer = 0; layer < config.layers; ++layer)
        sliding.push_back(on && layer >= first);
    read_windows(reader, config, sliding, usual_window);
    if (!on)
        refuse_unused_windows(reader, config);
}

DecoderConfig read_later_gemma(const ConfigReader& reader, std::int64_t vocabulary, std::int64_t max_context)
{
    DecoderConfig config = read_llama_sizes(reader,
        { .vocabulary = vocabulary,
            .hidden = 2304,
            .intermediate = 9216,
            .layers = 26,
            .heads = 8,
            .kv_heads = 4,
            .head_dim = 256,
            .max_context = max_context,
            .tied_embeddings = true,
            .activation = "gelu_pytorch_tanh" });
    const Activation activation = reader.activation("hidden_activation", "gelu_pytorch_tanh");
    if (config.activation != activation && reader.has("hidden_act"))
        reader.refuse_request("hidden_act");
    config.activation = activation;
    config.norm = NormKind::rms_plus_one;
    config.embedding_scale = std::sqrt(static_cast<double>(config.hidden_size));
    config.round_embedding_scale = true;
    config.qkv_bias = config.output_bias = reader.flag("attention_bias");
    for (LayerConfig& layer : config.per_layer)
        layer.scale = 1 / std::sqrt(reader.positive("query_pre_attn_scalar", 256));
    config.names.attention_norm = "layers.{}.post_attention_layernorm";
    config.names.mlp_norm = "layers.{}.pre_feedforward_layernorm";
    config.names.mlp_output_norm = "layers.{}.post_feedforward_layernorm";
    return config;
}

double read_softcap(const ConfigReader& reader, const std::string& name, double otherwise)
{
    if (!reader.present(name))
        return otherwise;
    return reader.has(name) ? reader.positive(name) : 0;
}

} // namespace keepset
