#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// What tests/reference/models.py wrote: golden.safetensors, read without core, so that core cannot vouch for itself.
namespace keepset::golden {

struct Tensor {
    std::string dtype; ///< "F32", "I32", "U8"
    std::vector<std::int64_t> shape;
    std::string bytes;

    /// The values in row-major order. Throws where T is not the stored type.
    template <typename T> std::vector<T> values() const
    {
        const std::string wanted = sizeof(T) == 1 ? "U8" : static_cast<T>(0.5) == 0 ? "I32" : "F32";
        if (dtype != wanted)
            throw std::runtime_error("a golden tensor is " + dtype + ", not " + wanted);
        std::vector<T> found(bytes.size() / sizeof(T));
        std::memcpy(found.data(), bytes.data(), bytes.size());
        return found;
    }
};

/// Every tensor of a safetensors file by name.
std::map<std::string, Tensor> read_tensors(const std::filesystem::path& file);
/// The bytes of a file. Throws where it cannot be read.
std::string read_bytes(const std::filesystem::path& file);

} // namespace keepset::golden
