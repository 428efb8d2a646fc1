#pragma once

#include "core/model/map_guard.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
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
    /// Throws Error{input} where the file has become shorter than its map, so that zeros were or will be read in place
    /// of it. To be asked behind a piece of work that read the map.
    void refuse_cut() const;

private:
    std::filesystem::path file_;
    int handle_ = -1;
    const std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    std::optional<MapGuard> guard_;
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

/// Tensors of a safetensors file by name, checked as the format's own reader does. `file` names it in errors.
std::map<std::string, StoredTensor> read_header(const MappedFile& map, const std::string& file);

/// Opens model.safetensors, the shards of model.safetensors.index.json, or without an index a complete set of shards
/// named …-00001-of-00002.safetensors. Throws Error{input}, naming file and tensor: missing or truncated files, Git LFS
/// pointers, headers that are no JSON, absurd sizes, overlapping or out-of-range tensors, bytes of no tensor, sizes
/// that do not fit dtype × shape, a tensor twice, and as refuse_missing_weights.
WeightFiles open_weights(const std::filesystem::path& folder);

} // namespace keepset
