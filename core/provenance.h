#pragma once

#include "core/task.h"

#include <cstdint>
#include <memory>
#include <string>

/// Where a result comes from (root attributes of INTERFACES 2).
namespace keepset {

class WeightsHash; ///< SHA-256 of a model's weights, made beside the work; opaque outside core

struct Provenance {
    std::string created; ///< ISO 8601, UTC
    std::string generator; ///< "keepset 0.1.0 (commit)"
    std::string model_name;
    std::string model_architecture;
    std::string model_sha256; ///< empty: not known yet
    std::shared_ptr<const WeightsHash> weights_hash; ///< that model_sha256 will come from; empty: from nowhere
    std::string tokenizer_sha256;
    std::string text_name;
    std::string text_sha256;
    std::string device;
    std::string dtype;
    std::uint64_t seed = 0;
    std::string command; ///< how to repeat it
};

/// A file that a policy read, and what it held.
struct HashedFile {
    std::string path; ///< as the policy names it
    std::string sha256; ///< empty: not known
    bool operator==(const HashedFile&) const = default;
};

/// Fills in model_sha256 where a result came before the hash of its model's weights; waits for it, for minutes where
/// the weights are very large. Throws Cancelled.
void know_weights(Provenance& provenance, const Task& task = {});

/// Now, ISO 8601, UTC.
std::string timestamp();

/// "keepset 0.1.0 (1a2b3c4)".
std::string generator();

} // namespace keepset
