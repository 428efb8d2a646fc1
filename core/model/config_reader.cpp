#include "core/model/config_reader.h"

#include "core/error.h"
#include "core/model/json_file.h"
#include "core/model/safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace keepset {

namespace {

    using nlohmann::json;

    /// null, false, 0 or empty.
    bool asks_for_nothing(const json& value)
    {
        return value.is_null() || (value.is_boolean() && !value.get<bool>())
            || (value.is_number() && value.get<double>() == 0) || (value.is_structured() && value.empty());
    }

    /// Positions and windows are no sides of a tensor.
    bool is_length(const std::string& name)
    {
        constexpr std::array words = { "position", "window", "context", "ctx", "seq", "length" };
        return std::ranges::any_of(words, [&](const char* word) { return name.find(word) != std::string::npos; });
    }

    std::string shown(const json& value)
    {
        std::string text = json_text(value);
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

void ConfigReader::refuse_unknown(const std::string& name) const
{
    refuse("the field '" + prefix + name + "' (" + shown(fields.at(name))
            + ") is unknown to Keepset, so it cannot tell whether it changes the numbers.",
        "Where it changes nothing, take it out of config.json.");
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

void ConfigReader::refuse_other_parts(std::span<const char* const> known) const
{
    for (const auto& [name, value] : fields.items()) {
        if (std::ranges::find(known, std::string_view(name)) == known.end() && !asks_for_nothing(value))
            refuse_request(name);
    }
}

} // namespace keepset
