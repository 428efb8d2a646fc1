#pragma once

#include "core/trace/array_file.h"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

/// Arrays that lie in a file as plain numbers, row by row.
namespace keepset::trace {

struct RawArray {
    std::string dtype; ///< as safetensors names it: "F32", "BF16", "BOOL", "I64", …
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

/// Throws h5::Failure for a dtype that holds no such numbers.
ArrayInfo info_of(const RawArray& array, const std::string& name);
/// As ArrayFile.
std::vector<float> floats_of(const RawArray& array, std::int64_t part);
std::vector<std::int64_t> integers_of(const RawArray& array, std::int64_t part);

/// The arrays of an npz file: a zip of .npy files, stored or deflated. Keeps what it had to inflate.
class Npz {
public:
    /// `file` must outlive this. Throws h5::Failure: no zip of arrays, encrypted, packed in another way, cut off.
    explicit Npz(std::span<const std::byte> file);

    std::vector<std::string> names() const;
    /// Throws h5::Failure where it is damaged (its checksum is looked at), in Fortran order, or no array of numbers.
    RawArray read(const std::string& name) const;

private:
    struct Member {
        std::size_t begin = 0; ///< of what is packed
        std::size_t packed = 0; ///< bytes
        std::size_t bytes = 0; ///< unpacked
        unsigned method = 0;
        unsigned crc = 0;
    };
    std::span<const std::byte> unpacked(const std::string& name) const;

    std::span<const std::byte> file_;
    std::map<std::string, Member> members_;
    mutable std::map<std::string, std::vector<std::byte>> known_; ///< whose checksum is right; empty: lies in the file
};

} // namespace keepset::trace
