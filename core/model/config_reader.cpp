#include "core/model/config_reader.h"

#include "core/error.h"
#include "core/model/safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace keepset {

namespace {

    using nlohmann::json;

    /// Fields that say nothing about the forward pass: bookkeeping, training, generation, names for people.
    constexpr std::array neutral_fields = { "_name_or_path", "architectures", "model_type", "auto_map", "dtype",
        "torch_dtype", "transformers_version", "transformers.js_config", "unsloth_fixed", "unsloth_version",
        "_commit_hash", "license", "tokenizer_class", "task_specific_params", "problem_type", "prefix", "id2label",
        "label2id", "num_labels", "finetuning_task", "is_llama_config", "is_decoder", "use_cache",
        "cache_implementation", "return_dict", "output_hidden_states", "output_attentions", "output_router_logits",
        "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal",
        "_flash_attn_2_enabled", "use_flash_attn", "flash_attn", "fused_dense", "gradient_checkpointing",
        "chunk_size_feed_forward", "pretraining_tp", "slow_but_exact", "masked_softmax_fusion", "bias_dropout_fusion",
        "attention_softmax_in_fp32", "torchscript", "initializer_range", "initializer_factor", "init_std",
        "attention_dropout", "activation_dropout", "hidden_dropout", "hidden_dropout_prob", "classifier_dropout",
        "resid_pdrop", "embd_pdrop", "attn_pdrop", "resid_dropout", "embedding_dropout", "dropout", "layerdrop",
        "router_aux_loss_coef", "router_jitter_noise", "summary_activation", "summary_first_dropout",
        "summary_last_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "bos_token_id",
        "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id",
        "bos_token", "eos_token", "max_length", "min_length", "do_sample", "temperature", "top_p", "top_k", "typical_p",
        "repetition_penalty", "length_penalty", "num_beams", "num_beam_groups", "num_return_sequences",
        "early_stopping", "offset_alibi", "max_sequence_length", "predict_special_tokens", "output_past", "_num_labels",
        "pad_token", "unk_token", "skip_bias_add" };

    /// Switches of training code whose value 1 means "as everybody".
    constexpr std::array neutral_at_one = { "partial_rotary_factor", "logits_scaling", "full_attn_mod",
        "interpolate_factor", "tensor_parallel_degree", "attention_factor" };

    /// null, false, 0, empty, or a neutral factor of 1: the field is there and asks for nothing.
    bool asks_for_nothing(const std::string& name, const json& value)
    {
        if (value.is_null() || (value.is_boolean() && !value.get<bool>())
            || (value.is_number() && value.get<double>() == 0)
            || ((value.is_object() || value.is_array()) && value.empty()))
            return true;
        const bool is_factor = std::ranges::find(neutral_at_one, std::string_view(name)) != neutral_at_one.end()
            || name.ends_with("_multiplier");
        return is_factor && value.is_number() && value.get<double>() == 1;
    }

    /// Positions and windows are no sides of a tensor.
    bool is_length(const std::string& name)
    {
        constexpr std::array words = { "position", "window", "context", "ctx", "seq", "length" };
        return std::ranges::any_of(words, [&](const char* word) { return name.find(word) != std::string::npos; });
    }

    std::string shown(const json& value)
    {
        std::string text = value.dump();
        if (text.size() > 60)
            text = text.substr(0, 57) + "...";
        return text;
    }

} // namespace

SizeLimit limit_of(const std::filesystem::path& folder)
{
    SizeLimit limit;
    try {
        const WeightFiles weights = open_weights(folder);
        limit.tensors = static_cast<std::int64_t>(weights.tensors.size());
        for (const auto& [name, tensor] : weights.tensors) {
            for (const std::int64_t size : tensor.shape)
                limit.side = std::max(limit.side, size);
        }
        limit.most = std::max({ SizeLimit::least, limit.tensors, limit.side });
    } catch (const Error&) {
        return {};
    }
    return limit;
}

void ConfigReader::refuse(const std::string& what, const std::string& hint) const
{
    throw Error(ErrorKind::input, "'" + file + "': " + what, hint);
}

void ConfigReader::refuse_value(const std::string& name, const std::string& wanted) const
{
    refuse("the field '" + prefix + name + "' must be " + wanted + ", not " + shown(fields.at(name)) + ".");
}

void ConfigReader::refuse_request(const std::string& name) const
{
    refuse("the field '" + prefix + name + "' (" + shown(fields.at(name))
            + ") asks for something that Keepset does not compute.",
        "Its numbers would be wrong, so the model is not opened.");
}

bool ConfigReader::has(const std::string& name) const { return fields.contains(name) && !fields.at(name).is_null(); }

bool ConfigReader::present(const std::string& name) const { return fields.contains(name); }

bool ConfigReader::is_empty(const std::string& name) const { return fields.at(name).empty(); }

std::string ConfigReader::spelling(std::initializer_list<const char*> names) const
{
    for (const char* const name : names) {
        if (has(name))
            return name;
    }
    return *names.begin();
}

std::int64_t ConfigReader::size(const std::string& name, std::optional<std::int64_t> otherwise) const
{
    if (!has(name)) {
        if (!otherwise)
            refuse("the field '" + prefix + name + "' is missing.");
        return *otherwise;
    }
    const json& value = fields.at(name);
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1 || value.get<std::int64_t>() > (1LL << 31))
        refuse_value(name, "a positive whole number");
    if (!is_length(name) && value.get<std::int64_t>() > limit.most)
        refuse_beyond(name);
    return value.get<std::int64_t>();
}

void ConfigReader::refuse_beyond(const std::string& name) const
{
    const std::string start = "the field '" + prefix + name + "' is " + shown(fields.at(name)) + ", but ";
    if (limit.tensors == 0)
        refuse(start + "sizes up to " + std::to_string(limit.most) + " are read.", "Is it a mistake?");
    refuse(start + "the weight files hold " + std::to_string(limit.tensors) + " tensors with no side above "
            + std::to_string(limit.side) + ".",
        "Does config.json belong to them?");
}

std::int64_t ConfigReader::whole(const std::string& name) const
{
    const json& value = fields.at(name);
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > (1LL << 31))
        refuse_value(name, "a whole number");
    return value.get<std::int64_t>();
}

double ConfigReader::number(const std::string& name, std::optional<double> otherwise) const
{
    if (!has(name)) {
        if (!otherwise)
            refuse("the field '" + prefix + name + "' is missing.");
        return *otherwise;
    }
    if (!fields.at(name).is_number() || !std::isfinite(fields.at(name).get<double>()))
        refuse_value(name, "a number");
    return fields.at(name).get<double>();
}

double ConfigReader::positive(const std::string& name, std::optional<double> otherwise) const
{
    const double value = number(name, otherwise);
    if (value <= 0)
        refuse_value(name, "a positive number");
    return value;
}

bool ConfigReader::flag(const std::string& name, bool otherwise) const
{
    if (!has(name))
        return otherwise;
    if (!fields.at(name).is_boolean())
        refuse_value(name, "true or false");
    return fields.at(name).get<bool>();
}

std::string ConfigReader::text(const std::string& name, const std::string& otherwise) const
{
    if (!has(name))
        return otherwise;
    if (!fields.at(name).is_string())
        refuse_value(name, "a string");
    return fields.at(name).get<std::string>();
}

std::vector<std::int64_t> ConfigReader::whole_numbers(const std::string& name) const
{
    std::vector<std::int64_t> values;
    if (!fields.at(name).is_array())
        refuse_value(name, "a list of whole numbers");
    for (const json& value : fields.at(name)) {
        if (!value.is_boolean() && !value.is_number_integer())
            refuse_value(name, "a list of whole numbers");
        values.push_back(value.is_boolean() ? std::int64_t { value.get<bool>() } : value.get<std::int64_t>());
    }
    return values;
}

std::vector<double> ConfigReader::numbers(const std::string& name) const
{
    std::vector<double> values;
    if (!fields.at(name).is_array())
        refuse_value(name, "a list of numbers");
    for (const json& value : fields.at(name)) {
        if (!value.is_number() || !std::isfinite(value.get<double>()))
            refuse_value(name, "a list of numbers");
        values.push_back(value.get<double>());
    }
    return values;
}

std::vector<std::string> ConfigReader::texts(const std::string& name) const
{
    std::vector<std::string> values;
    if (!fields.at(name).is_array())
        refuse_value(name, "a list of names");
    for (const json& value : fields.at(name)) {
        if (!value.is_string())
            refuse_value(name, "a list of names");
        values.push_back(value.get<std::string>());
    }
    return values;
}

Activation ConfigReader::activation(const std::string& name, const std::string& otherwise) const
{
    const std::string wanted = text(name, otherwise);
    if (wanted == "silu" || wanted == "swish")
        return Activation::silu;
    if (wanted == "gelu" || wanted == "gelu_python")
        return Activation::gelu;
    // One function, written in several ways.
    if (wanted == "gelu_new" || wanted == "gelu_pytorch_tanh" || wanted == "gelu_python_tanh" || wanted == "gelu_fast")
        return Activation::gelu_tanh;
    if (wanted == "relu")
        return Activation::relu;
    refuse("the field '" + prefix + name + "' asks for '" + wanted + "', which Keepset does not compute.",
        "Known: silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu.");
}

ConfigReader ConfigReader::part(const std::string& name) const
{
    if (!fields.at(name).is_object())
        refuse_value(name, "an object");
    return { fields.at(name), file, prefix + name + ".", limit };
}

void ConfigReader::refuse_unknown_fields(std::span<const char* const> known) const
{
    for (const auto& [name, value] : fields.items()) {
        const std::string_view field = name;
        if (std::ranges::find(known, field) != known.end() || asks_for_nothing(name, value)
            || (prefix.empty() && std::ranges::find(neutral_fields, field) != neutral_fields.end()))
            continue;
        refuse_request(name);
    }
}

} // namespace keepset
