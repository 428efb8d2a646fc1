#pragma once

#include "core/model/config.h"

#include <nlohmann/json_fwd.hpp>

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keepset {

/// The largest size that a config.json may ask for, so that nothing is allocated by a number that is a mistake: what
/// the headers of the weight files could hold, and no less than `least`.
struct SizeLimit {
    static constexpr std::int64_t least = 65536;
    std::int64_t most = std::int64_t { 1 } << 20U; ///< where there are no weight files to go by
    std::int64_t tensors = 0; ///< in the weight files; 0: there are none
    std::int64_t side = 0; ///< the largest of any tensor's dimensions
};
/// Goes by the weight files of a folder; the general limit where they cannot be read, which others will say.
SizeLimit limit_of(const std::filesystem::path& folder);

/// A config.json under reading: every complaint names the file and the field. A field that is null counts as missing.
/// All functions throw Error{input}.
struct ConfigReader {
    const nlohmann::json& fields;
    std::string file;
    std::string prefix = {}; ///< of the fields' names where `fields` is a part of the file: "rope_scaling."
    SizeLimit limit = {}; ///< of what size() takes

    [[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) const;
    /// The field holds something else than `wanted`.
    [[noreturn]] void refuse_value(const std::string& name, const std::string& wanted) const;
    /// The field asks for something that is not computed.
    [[noreturn]] void refuse_request(const std::string& name) const;
    /// Nothing is known about the field.
    [[noreturn]] void refuse_unknown(const std::string& name) const;

    /// The field asks for more than `limit`.
    [[noreturn]] void refuse_beyond(const std::string& name) const;

    bool has(const std::string& name) const;
    /// Whether the field is there at all, a null among others.
    bool present(const std::string& name) const;
    bool is_empty(const std::string& name) const; ///< an object or list without entries
    /// The first of several spellings that is there; the first spelling where none is.
    std::string spelling(std::initializer_list<const char*> names) const;
    /// A positive whole number below 2^31, and within `limit` unless the field's name says that it is a length of
    /// texts. Without `otherwise` the field is needed.
    std::int64_t size(const std::string& name, std::optional<std::int64_t> otherwise = {}) const;
    /// A whole number from 0 on.
    std::int64_t whole(const std::string& name) const;
    double number(const std::string& name, std::optional<double> otherwise = {}) const;
    double positive(const std::string& name, std::optional<double> otherwise = {}) const;
    bool flag(const std::string& name, bool otherwise = false) const;
    std::string text(const std::string& name, const std::string& otherwise) const;
    /// Whole numbers, or truth values as 0 and 1.
    std::vector<std::int64_t> whole_numbers(const std::string& name) const;
    std::vector<double> numbers(const std::string& name) const;
    std::vector<std::string> texts(const std::string& name) const;
    Activation activation(const std::string& name, const std::string& otherwise) const;
    /// The object in a field.
    ConfigReader part(const std::string& name) const;

    /// Refuses fields that are not in `known` and ask for something; for parts of the file, where there is no
    /// bookkeeping.
    void refuse_other_parts(std::span<const char* const> known) const;
};

} // namespace keepset
