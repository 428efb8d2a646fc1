#include "tests/support/golden.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace keepset::golden {

std::string read_bytes(const std::filesystem::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        throw std::runtime_error("cannot read " + file.string());
    return { std::istreambuf_iterator<char>(stream), {} };
}

std::map<std::string, Tensor> read_tensors(const std::filesystem::path& file)
{
    const std::string bytes = read_bytes(file);
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
    const std::size_t begin = sizeof header_bytes + header_bytes;
    const auto header = nlohmann::json::parse(bytes.substr(sizeof header_bytes, header_bytes));
    std::map<std::string, Tensor> tensors;
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__")
            continue;
        const auto from = entry.at("data_offsets").at(0).get<std::size_t>();
        const auto to = entry.at("data_offsets").at(1).get<std::size_t>();
        tensors[name] = { entry.at("dtype").get<std::string>(), entry.at("shape").get<std::vector<std::int64_t>>(),
            bytes.substr(begin + from, to - from) };
    }
    return tensors;
}

} // namespace keepset::golden
