#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Arrays of numbers by name, from files that anyone wrote: HDF5, safetensors, npz.
namespace keepset::trace {

enum class ArrayKind : std::uint8_t { floating, integer, boolean };

struct ArrayInfo {
    ArrayKind kind = ArrayKind::floating;
    std::vector<std::int64_t> shape;
};

/// "[4, 2, 128]".
std::string text_of(const std::vector<std::int64_t>& shape);

/// Functions throw h5::Failure, or Error{input} with the file's name in it.
class ArrayFile {
public:
    ArrayFile() = default;
    virtual ~ArrayFile() = default;
    ArrayFile(const ArrayFile&) = delete;
    ArrayFile& operator=(const ArrayFile&) = delete;

    /// Of the arrays at its root.
    virtual std::vector<std::string> names() const = 0;
    virtual ArrayInfo info(const std::string& name) const = 0;
    /// Values of part `part` of the first axis, or of the whole array (-1); truth is 1 and 0.
    virtual std::vector<float> floats(const std::string& name, std::int64_t part) const = 0;
    /// The same of an array of whole numbers.
    virtual std::vector<std::int64_t> integers(const std::string& name, std::int64_t part) const = 0;
    /// "HDF5", "safetensors" or "npz".
    virtual std::string container() const = 0;
    /// A text that HDF5 has as an attribute of its root; empty where there is none.
    virtual std::string attribute(const std::string& /*name*/) const { return {}; }
};

/// Opens a file by what it begins with. Throws h5::Failure where it is none of the three.
std::unique_ptr<ArrayFile> open_arrays(const std::filesystem::path& file);

} // namespace keepset::trace
