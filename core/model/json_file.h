#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>

namespace keepset {

/// A JSON object from a file, read as Python's json module reads it: Infinity, -Infinity and NaN are numbers, and so is
/// 1e999 (infinity); a byte-order mark is passed over. Throws Error{input} with the file and the place of the first
/// fault: no JSON, not UTF-8, a Git LFS pointer in place of the file, a name that stands twice in one object.
nlohmann::json read_json(const std::filesystem::path& file);

/// A value as it stands in such a file, numbers that are not finite as Python writes them.
std::string json_text(const nlohmann::json& value);

} // namespace keepset
