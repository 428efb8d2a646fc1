#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>

namespace keepset {

/// A JSON object from a file. Throws Error{input} with the file and the place of the first fault.
nlohmann::json read_json(const std::filesystem::path& file);

} // namespace keepset
