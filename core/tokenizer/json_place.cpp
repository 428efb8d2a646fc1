#include "core/tokenizer/json_place.h"

#include "core/error.h"

namespace keepset {

namespace {

    /// A value in a message: whole where it is short.
    std::string short_value(const nlohmann::json& value)
    {
        constexpr std::size_t longest = 80;
        const auto replace = nlohmann::json::error_handler_t::replace;
        if (value.is_object() && value.contains("type"))
            return short_value(value["type"]);
        if (value.is_structured() && value.size() > 8)
            return value.is_array() ? "an array" : "an object";
        std::string text = value.dump(-1, ' ', true, replace);
        if (text.size() > longest)
            text = text.substr(0, longest) + "…";
        return text;
    }

} // namespace

void JsonPlace::refuse(const std::string& problem, const std::string& hint) const
{
    throw Error(ErrorKind::input, file_ + ": " + (field_.empty() ? "the file" : field_) + " " + problem, hint);
}

void JsonPlace::refuse_value(const std::string& known) const
{
    refuse("is " + short_value(value_) + ", which Keepset does not read.", "It reads: " + known + ".");
}

bool JsonPlace::absent(const char* name) const
{
    if (!value_.is_object())
        refuse("is " + short_value(value_) + " instead of an object.");
    const auto found = value_.find(name);
    return found == value_.end() || found->is_null();
}

JsonPlace JsonPlace::operator[](const char* name) const
{
    if (!value_.is_object())
        refuse("is " + short_value(value_) + " instead of an object.");
    const auto found = value_.find(name);
    if (found == value_.end())
        refuse(std::string("has no field '") + name + "'.", "Get the model's tokenizer.json again.");
    return { *found, file_, field_.empty() ? name : field_ + "." + name };
}

JsonPlace JsonPlace::operator[](std::size_t index) const
{
    return { value_.at(index), file_, field_ + "[" + std::to_string(index) + "]" };
}

std::size_t JsonPlace::size() const
{
    if (!value_.is_array())
        refuse("is " + short_value(value_) + " instead of an array.");
    return value_.size();
}

std::string JsonPlace::string() const
{
    if (!value_.is_string())
        refuse("is " + short_value(value_) + " instead of a string.");
    return value_.get<std::string>();
}

bool JsonPlace::boolean() const
{
    if (!value_.is_boolean())
        refuse("is " + short_value(value_) + " instead of true or false.");
    return value_.get<bool>();
}

std::int32_t JsonPlace::id() const
{
    constexpr std::int32_t end = 1 << 24;
    if (!value_.is_number_integer())
        refuse("is " + short_value(value_) + " instead of a whole number.");
    if (value_ < 0 || value_ >= end)
        refuse("is " + short_value(value_) + ", outside the ids 0 to " + std::to_string(end - 1) + ".");
    return value_.get<std::int32_t>();
}

bool JsonPlace::boolean(const char* name, bool otherwise) const
{
    return absent(name) ? otherwise : (*this)[name].boolean();
}

std::string JsonPlace::type() const
{
    if (!value_.is_object())
        refuse("is " + short_value(value_) + " instead of an object.");
    return (*this)["type"].string();
}

} // namespace keepset
