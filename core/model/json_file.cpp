#include "core/model/json_file.h"

#include "core/error.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace keepset {

nlohmann::json read_json(const std::filesystem::path& file)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        throw Error(ErrorKind::input, "'" + file.string() + "' is missing.",
            "A model folder has config.json, tokenizer.json and model.safetensors.");
    if (std::filesystem::is_directory(file, ignored))
        throw Error(ErrorKind::input, "'" + file.string() + "' is a folder, not a JSON file.");
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        throw Error(ErrorKind::input, "'" + file.string() + "' cannot be read: " + std::strerror(errno) + ".");
    try {
        nlohmann::json json = nlohmann::json::parse(stream);
        if (!json.is_object())
            throw Error(ErrorKind::input, "'" + file.string() + "' does not hold a JSON object.");
        return json;
    } catch (const nlohmann::json::parse_error& fault) {
        throw Error(ErrorKind::input,
            "'" + file.string() + "' is not valid JSON at byte " + std::to_string(fault.byte) + ".",
            "Is the file complete?");
    }
}

} // namespace keepset
