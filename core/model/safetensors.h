#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace keepset {

/// A file mapped into memory for reading.
class MappedFile {
public:
    /// Throws Error{input} where the file is missing, a folder, empty or unreadable.
    explicit MappedFile(const std::filesystem::path& file);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    const std::byte* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }

private:
    const std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// One tensor of a safetensors file: where it lies and what it is. `data` may be misaligned for its type.
struct StoredTensor {
    std::string dtype; ///< "F32", "BF16", "F16", … as stored
    std::vector<std::int64_t> shape;
    const std::byte* data = nullptr;
    std::size_t bytes = 0;
    std::string file;
};

/// All weight files of a model folder, mapped; headers checked before any use.
struct WeightFiles {
    std::vector<std::shared_ptr<MappedFile>> maps;
    std::vector<std::filesystem::path> files; ///< in the order of their names
    std::map<std::string, StoredTensor> tensors;
    std::int64_t bytes = 0; ///< of all files
};

/// Opens model.safetensors or the shards of model.safetensors.index.json. Throws Error{input}, naming file and tensor:
/// missing or truncated files, headers that are no JSON, absurd sizes, overlapping or out-of-range tensors, sizes that
/// do not fit dtype × shape, a tensor twice, pickled weights only (refused with the reason and the conversion).
WeightFiles open_weights(const std::filesystem::path& folder);

} // namespace keepset
