#pragma once

#include "core/model/safetensors.h"
#include "core/provenance.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keepset {

/// SHA-256 of one weight file. Throws Cancelled.
using FileHash = std::function<std::string(const MappedFile& map, const std::stop_token& stop)>;

/// SHA-256 of a model's weights as INTERFACES 2 defines it (of the one file, or of the sorted lines "hash name" of
/// several shards), made beside the work that it must not hold up: a thread a shard, on half of the cores at most and
/// at a low priority. A blob of a Hugging Face cache is not read: its name is its hash. Hashing ends with this
/// object; its maps are let go as soon as the hash is known.
class WeightsHash {
public:
    explicit WeightsHash(const WeightFiles& weights, FileHash hash = {});
    ~WeightsHash();
    WeightsHash(const WeightsHash&) = delete;
    WeightsHash& operator=(const WeightsHash&) = delete;

    /// The hash where it is known. Throws what hashing threw.
    std::optional<std::string> ready() const;
    /// Waits for it and tells `task` of the bytes. Throws Cancelled as soon as the task is stopped.
    std::string wait(const Task& task) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Fills in model_sha256 where it is known by now; waits for nothing.
void take_weights_hash(Provenance& provenance);

/// The SHA-256 that a Hugging Face cache names a file by: snapshots/<revision>/NAME is a link to blobs/<64 hex digits>
/// there, which huggingface_hub takes from the server's ETag. What was downloaded is trusted to be what was asked for:
/// a blob damaged on the disk since keeps its name. Nothing for every other file.
std::optional<std::string> hash_in_name(const std::filesystem::path& file);

} // namespace keepset
