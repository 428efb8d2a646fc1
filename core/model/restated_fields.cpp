#include "core/model/restated_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <span>

namespace keepset {

namespace {

    using nlohmann::json;

    bool slides(const DecoderConfig& config)
    {
        return std::ranges::any_of(config.per_layer, [](const LayerConfig& layer) { return layer.window > 0; });
    }

    /// Sizes under names that a family does not use.
    std::optional<double> size_of(std::string_view name, const DecoderConfig& config)
    {
        static const std::map<std::string_view, std::int64_t DecoderConfig::*> sizes { { "head_dim",
                                                                                           &DecoderConfig::head_dim },
            { "num_key_value_heads", &DecoderConfig::kv_heads }, { "num_kv_heads", &DecoderConfig::kv_heads },
            { "n_head_kv", &DecoderConfig::kv_heads }, { "num_attention_heads", &DecoderConfig::heads },
            { "num_heads", &DecoderConfig::heads }, { "n_head", &DecoderConfig::heads },
            { "n_heads", &DecoderConfig::heads }, { "num_hidden_layers", &DecoderConfig::layers },
            { "num_layers", &DecoderConfig::layers }, { "n_layer", &DecoderConfig::layers },
            { "n_layers", &DecoderConfig::layers }, { "hidden_size", &DecoderConfig::hidden_size },
            { "n_embd", &DecoderConfig::hidden_size }, { "n_embed", &DecoderConfig::hidden_size },
            { "d_model", &DecoderConfig::hidden_size }, { "embedding_size", &DecoderConfig::embedding_size },
            { "word_embed_proj_dim", &DecoderConfig::embedding_size },
            { "intermediate_size", &DecoderConfig::intermediate_size },
            { "n_inner", &DecoderConfig::intermediate_size }, { "ffn_dim", &DecoderConfig::intermediate_size },
            { "ffn_hidden_size", &DecoderConfig::intermediate_size },
            { "moe_intermediate_size", &DecoderConfig::expert_size }, { "num_experts", &DecoderConfig::experts },
            { "num_local_experts", &DecoderConfig::experts },
            { "num_experts_per_tok", &DecoderConfig::experts_per_token } };
        const auto found = sizes.find(name);
        if (found == sizes.end())
            return {};
        return static_cast<double>(config.*found->second);
    }

    constexpr std::array norm_fields
        = { "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon" };
    constexpr std::array activation_fields = { "hidden_act", "hidden_activation", "activation_function", "activation" };
    constexpr std::array theta_fields = { "rope_theta", "rotary_emb_base", "rope_local_base_freq" };
    constexpr std::array share_fields = { "partial_rotary_factor", "rotary_pct", "rope_pct" };
    constexpr std::array qkv_bias_fields
        = { "attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias", "attn_bias", "enable_bias" };
    constexpr std::array mlp_bias_fields = { "mlp_bias", "use_bias", "bias" };
    constexpr std::array qk_norm_fields
        = { "use_qk_norm", "qk_norm", "qk_layernorm", "use_qk_layernorm", "qk_layer_norms", "use_qk_layer_norm" };
    constexpr std::array rotary_fields
        = { "use_rope", "rope", "use_rotary", "rotary", "use_rotary_embeddings", "use_rotary_embedding" };
    constexpr std::array alibi_fields = { "alibi", "use_alibi" };
    constexpr std::array parallel_fields = { "use_parallel_residual", "parallel_attn", "parallel_residual" };
    constexpr std::array gated_fields = { "gated_mlp", "use_gated_mlp", "use_swiglu", "use_glu" };
    constexpr std::array rms_fields = { "use_rms_norm", "use_rmsnorm", "rms_norm", "rmsnorm" };
    constexpr std::array others = { "rotary_dim", "layer_types", "use_sliding_window", "sliding_window", "ff_factor",
        "norm_topk_prob", "position_embedding_type", "original_max_position_embeddings" };

    bool among(std::span<const char* const> names, std::string_view name)
    {
        return std::ranges::find(names, name) != names.end();
    }

    bool is(const json& value, bool wanted) { return value.is_boolean() && value.get<bool>() == wanted; }

    bool equals(const json& value, double wanted)
    {
        return value.is_number() && std::abs(value.get<double>() - wanted) <= 1e-12 * std::abs(wanted);
    }

    bool same_windows(const json& value, const DecoderConfig& config)
    {
        if (!value.is_array() || value.size() != config.per_layer.size())
            return false;
        for (std::size_t layer = 0; layer < config.per_layer.size(); ++layer) {
            if (value[layer] != (config.per_layer[layer].window > 0 ? "sliding_attention" : "full_attention"))
                return false;
        }
        return true;
    }

    /// A window that a family does not know: one that nothing can reach, or that the file itself switches off.
    bool is_idle_window(const json& value, const ConfigReader& reader, const DecoderConfig& config)
    {
        const bool off = reader.present("use_sliding_window") && is(reader.fields.at("use_sliding_window"), false);
        return off || equals(value, 0)
            || (value.is_number() && value.get<double>() >= static_cast<double>(config.max_context));
    }

    /// What concerns rotary positions; without these nothing of it is used.
    bool restates_rope(std::string_view name, const json& value, const DecoderConfig& config)
    {
        if (config.ropes.empty())
            return true;
        return std::ranges::all_of(config.ropes, [&](const RopeConfig& rope) {
            if (among(theta_fields, name))
                return equals(value, rope.theta);
            if (among(share_fields, name))
                return value.is_number()
                    && static_cast<std::int64_t>(value.get<double>() * static_cast<double>(config.head_dim))
                    == rope.dims;
            if (name == "rotary_dim")
                return equals(value, static_cast<double>(rope.dims));
            return rope.kind == RopeConfig::Kind::plain || equals(value, rope.original_context);
        });
    }

    bool restates_positions(const json& value, PositionKind positions)
    {
        if (!value.is_string())
            return false;
        const std::string& kind = value.get_ref<const std::string&>();
        switch (positions) {
        case PositionKind::rotary:
            return kind == "rope" || kind == "rotary";
        case PositionKind::alibi:
            return kind == "alibi";
        case PositionKind::learned:
            return kind == "absolute" || kind == "learned" || kind == "learned_absolute";
        }
        return false;
    }

    /// Switches for what a family always or never does: whether it does; nothing where `name` is none.
    std::optional<bool> state_of(std::string_view name, const DecoderConfig& config)
    {
        const struct {
            std::span<const char* const> names;
            bool state;
        } states[] = { { qk_norm_fields, config.qk_norm != QkNorm::none },
            { rotary_fields, config.positions == PositionKind::rotary },
            { alibi_fields, config.positions == PositionKind::alibi },
            { parallel_fields, config.residual == Residual::parallel }, { gated_fields, config.gated_mlp },
            { rms_fields, config.norm != NormKind::layer } };
        for (const auto& [names, state] : states) {
            if (among(names, name))
                return state;
        }
        if (name == "use_sliding_window")
            return slides(config);
        if (name == "norm_topk_prob")
            return config.norm_topk;
        return {};
    }

} // namespace

bool is_restatable(std::string_view name)
{
    return size_of(name, {}).has_value() || state_of(name, {}).has_value() || among(norm_fields, name)
        || among(activation_fields, name) || among(theta_fields, name) || among(share_fields, name)
        || among(qkv_bias_fields, name) || among(mlp_bias_fields, name) || among(others, name);
}

bool restates(const std::string& name, const ConfigReader& reader, const DecoderConfig& config)
{
    const json& value = reader.fields.at(name);
    if (const std::optional<double> size = size_of(name, config))
        return equals(value, *size) || (equals(value, 0) && name != "head_dim");
    if (const std::optional<bool> state = state_of(name, config))
        return is(value, *state) || (name == "norm_topk_prob" && config.experts == 0);
    if (among(norm_fields, name))
        return equals(value, config.norm_eps);
    if (among(activation_fields, name))
        return value.is_string() && reader.activation(name, {}) == config.activation;
    // Without a bias here, the tensors must be there or not be there: a false word is found out by them.
    if (among(qkv_bias_fields, name))
        return is(value, false) || is(value, config.qkv_bias);
    if (among(mlp_bias_fields, name))
        return is(value, false) || is(value, config.mlp_bias);
    if (name == "layer_types")
        return same_windows(value, config);
    if (name == "sliding_window")
        return is_idle_window(value, reader, config);
    if (name == "ff_factor")
        return equals(value, static_cast<double>(config.intermediate_size) / static_cast<double>(config.hidden_size));
    if (name == "position_embedding_type")
        return restates_positions(value, config.positions);
    return restates_rope(name, value, config);
}

} // namespace keepset
