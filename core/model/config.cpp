#include "core/model/config.h"

#include "core/error.h"
#include "core/model/json_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace keepset {

namespace {

    using nlohmann::json;

    /// A config.json under reading: every complaint names the file and the field.
    struct Reader {
        const json& fields;
        std::string file;

        [[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) const
        {
            throw Error(ErrorKind::input, "'" + file + "': " + what, hint);
        }
        [[noreturn]] void refuse_value(const char* name, const char* wanted) const
        {
            refuse("the field '" + std::string(name) + "' must be " + wanted + ", not " + fields.at(name).dump() + ".");
        }
        bool has(const char* name) const { return fields.contains(name) && !fields.at(name).is_null(); }
        void need(const char* name) const
        {
            if (!has(name))
                refuse("the field '" + std::string(name) + "' is missing.");
        }
        std::int64_t size(const char* name, std::optional<std::int64_t> otherwise = {}) const
        {
            if (!has(name) && otherwise)
                return *otherwise;
            need(name);
            const json& value = fields.at(name);
            if (!value.is_number_integer() || value.get<std::int64_t>() < 1 || value.get<std::int64_t>() > (1LL << 31))
                refuse_value(name, "a positive whole number");
            return value.get<std::int64_t>();
        }
        double number(const char* name, std::optional<double> otherwise = {}) const
        {
            if (!has(name) && otherwise)
                return *otherwise;
            need(name);
            if (!fields.at(name).is_number() || !std::isfinite(fields.at(name).get<double>()))
                refuse_value(name, "a number");
            return fields.at(name).get<double>();
        }
        bool flag(const char* name) const
        {
            if (has(name) && !fields.at(name).is_boolean())
                refuse_value(name, "true or false");
            return has(name) && fields.at(name).get<bool>();
        }
        std::string text(const char* name, const std::string& otherwise) const
        {
            if (!has(name))
                return otherwise;
            if (!fields.at(name).is_string())
                refuse_value(name, "a string");
            return fields.at(name).get<std::string>();
        }
    };

    /// Fields that say nothing about the forward pass: bookkeeping, training, generation, names for people.
    constexpr std::array neutral_fields = { "_name_or_path", "architectures", "attention_dropout", "auto_map",
        "bos_token_id", "eos_token_id", "pad_token_id", "initializer_range", "model_type", "pretraining_tp",
        "torch_dtype", "dtype", "transformers_version", "use_cache", "is_llama_config", "transformers.js_config",
        "unsloth_fixed", "unsloth_version", "tokenizer_class", "return_dict", "output_hidden_states",
        "output_attentions", "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "id2label",
        "label2id", "problem_type", "chunk_size_feed_forward", "is_decoder", "_commit_hash", "license", "max_length",
        "min_length", "do_sample", "temperature", "top_p", "top_k", "repetition_penalty" };

    /// What the Llama description computes.
    constexpr std::array llama_fields
        = { "attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size", "max_position_embeddings",
              "mlp_bias", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps",
              "rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings", "vocab_size" };

    constexpr std::array rope_fields = { "rope_type", "type", "rope_theta", "factor", "low_freq_factor",
        "high_freq_factor", "original_max_position_embeddings" };

    /// null, false, 0, empty, or a neutral factor of 1: the field is there and asks for nothing.
    bool asks_for_nothing(const std::string& name, const json& value)
    {
        if (value.is_null() || (value.is_boolean() && !value.get<bool>())
            || (value.is_number() && value.get<double>() == 0)
            || ((value.is_object() || value.is_array()) && value.empty()))
            return true;
        const bool is_factor
            = name == "partial_rotary_factor" || name.ends_with("_multiplier") || name == "logits_scaling";
        return is_factor && value.is_number() && value.get<double>() == 1;
    }

    void refuse_unknown_fields(const Reader& reader, std::span<const char* const> known, const std::string& prefix = {})
    {
        for (const auto& [name, value] : reader.fields.items()) {
            const std::string_view field = name;
            if (std::ranges::find(known, field) != known.end() || asks_for_nothing(name, value)
                || (prefix.empty() && std::ranges::find(neutral_fields, field) != neutral_fields.end()))
                continue;
            std::string shown = value.dump();
            if (shown.size() > 60)
                shown = shown.substr(0, 57) + "...";
            reader.refuse(
                "the field '" + prefix + name + "' (" + shown + ") asks for something that Keepset does not compute.",
                "Its numbers would be wrong, so the model is not opened.");
        }
    }

    RopeConfig read_rope(const Reader& config)
    {
        RopeConfig rope;
        rope.theta = config.number("rope_theta", 10000.0);
        // transformers 5 writes rope_parameters, older versions rope_theta + rope_scaling; the newer one wins, as
        // there.
        const char* field = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        if (!config.has(field))
            return rope;
        if (!config.fields.at(field).is_object())
            config.refuse_value(field, "an object");
        const Reader part { config.fields.at(field), config.file };
        refuse_unknown_fields(part, rope_fields, std::string(field) + ".");
        rope.theta = part.number("rope_theta", rope.theta);
        const std::string kind = part.text("rope_type", part.text("type", "default"));
        if (kind == "default")
            return rope;
        if (kind != "linear" && kind != "llama3")
            config.refuse("the field '" + std::string(field) + "' asks for rotary scaling '" + kind
                    + "', which Keepset does not compute.",
                "Known: default, linear, llama3.");
        rope.kind = kind == "linear" ? RopeConfig::Kind::linear : RopeConfig::Kind::llama3;
        rope.factor = part.number("factor");
        if (rope.kind == RopeConfig::Kind::llama3) {
            rope.low_freq_factor = part.number("low_freq_factor");
            rope.high_freq_factor = part.number("high_freq_factor");
            rope.original_context = part.number("original_max_position_embeddings");
        }
        if (rope.factor <= 0 || rope.theta <= 0 || rope.high_freq_factor <= rope.low_freq_factor)
            config.refuse("the field '" + std::string(field)
                + "' holds impossible numbers: " + config.fields.at(field).dump() + ".");
        return rope;
    }

    DecoderConfig read_llama(const Reader& reader)
    {
        refuse_unknown_fields(reader, llama_fields);
        DecoderConfig config;
        config.layers = reader.size("num_hidden_layers");
        config.heads = reader.size("num_attention_heads");
        config.kv_heads = reader.size("num_key_value_heads", config.heads);
        config.hidden_size = reader.size("hidden_size");
        config.head_dim = reader.size("head_dim", std::max<std::int64_t>(1, config.hidden_size / config.heads));
        config.intermediate_size = reader.size("intermediate_size");
        config.vocabulary = reader.size("vocab_size");
        config.max_context = reader.size("max_position_embeddings", 2048);
        config.rms_norm_eps = reader.number("rms_norm_eps", 1e-6);
        config.qkv_bias = config.output_bias = reader.flag("attention_bias");
        config.mlp_bias = reader.flag("mlp_bias");
        config.tied_embeddings = reader.flag("tie_word_embeddings");
        config.rope = read_rope(reader);
        const std::string activation = reader.text("hidden_act", "silu");
        if (activation != "silu" && activation != "swish")
            reader.refuse("the field 'hidden_act' asks for '" + activation + "', which Keepset does not compute.",
                "Known: silu.");
        return config;
    }

    struct Family {
        const char* model_type;
        DecoderConfig (*read)(const Reader&);
    };
    constexpr std::array families = { Family { "llama", read_llama } };

    void check(const DecoderConfig& config, const Reader& reader)
    {
        if (config.heads % config.kv_heads != 0)
            reader.refuse("num_attention_heads (" + std::to_string(config.heads)
                + ") is not a multiple of num_key_value_heads (" + std::to_string(config.kv_heads) + ").");
        if (config.head_dim % 2 != 0)
            reader.refuse("head_dim " + std::to_string(config.head_dim) + " is odd, and rotary positions need pairs.");
        if (!config.architecture.ends_with("ForCausalLM"))
            reader.refuse("the architecture '" + config.architecture + "' is not a causal language model.");
    }

    std::string architecture_of(const Reader& reader)
    {
        if (!reader.has("architectures"))
            return "LlamaForCausalLM";
        const json& names = reader.fields.at("architectures");
        if (!names.is_array() || names.empty() || !names.front().is_string())
            reader.refuse_value("architectures", "a list of names");
        return names.front().get<std::string>();
    }

} // namespace

DecoderConfig read_config(const std::filesystem::path& folder)
{
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
        throw Error(ErrorKind::input, "'" + folder.string() + "' is not a model folder.",
            "Give the folder that holds config.json, tokenizer.json and model.safetensors.");
    const json fields = read_json(folder / "config.json");
    const Reader reader { fields, (folder / "config.json").string() };
    const std::string model_type = reader.text("model_type", "(none)");
    std::string known;
    for (const Family& family : families) {
        known += (known.empty() ? "" : ", ") + std::string(family.model_type);
        if (model_type != family.model_type)
            continue;
        DecoderConfig config = family.read(reader);
        config.model_type = model_type;
        config.architecture = architecture_of(reader);
        check(config, reader);
        return config;
    }
    reader.refuse("the architecture '" + model_type + "' is not known.", "Known: " + known + ".");
}

} // namespace keepset
