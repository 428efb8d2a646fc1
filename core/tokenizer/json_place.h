#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace keepset {

/// A value in a JSON file that knows where it stands, so that every refusal names file, field and value.
class JsonPlace {
public:
    JsonPlace(const nlohmann::json& value, std::string file, std::string field)
        : value_(value)
        , file_(std::move(file))
        , field_(std::move(field))
    {
    }

    const nlohmann::json& value() const { return value_; }
    const std::string& field() const { return field_; }

    /// Throws Error{input}: "FILE: FIELD PROBLEM".
    [[noreturn]] void refuse(const std::string& problem, const std::string& hint = {}) const;
    /// Throws Error{input}: the value is not one that Keepset does; `known` lists those it does.
    [[noreturn]] void refuse_value(const std::string& known) const;

    /// Neither there nor null.
    bool absent(const char* name) const;
    /// A field that must be there. Throws Error{input} where this is no object or lacks it.
    JsonPlace operator[](const char* name) const;
    /// An element of an array.
    JsonPlace operator[](std::size_t index) const;
    /// Elements of an array; throws Error{input} where it is none.
    std::size_t size() const;

    std::string string() const;
    bool boolean() const;
    /// A token id: 0 to 2^24.
    std::int32_t id() const;
    /// An optional boolean field.
    bool boolean(const char* name, bool otherwise) const;
    /// The field `type` of an object.
    std::string type() const;

private:
    const nlohmann::json& value_;
    std::string file_;
    std::string field_; ///< empty: the whole file
};

} // namespace keepset
