#pragma once

#include "core/model/safetensors.h"
#include "core/types.h"

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>

namespace keepset {

/// SHA-256 in lower-case hex.
std::string sha256(std::span<const std::byte> bytes, const std::stop_token& stop = {});
std::string sha256(const std::string& bytes);

/// Hash of the weights as INTERFACES 2 defines it: of the one file, or of the sorted lines "hash name" of several
/// shards.
std::string weights_sha256(const WeightFiles& weights, const std::stop_token& stop);

/// Now, ISO 8601, UTC.
std::string timestamp();

/// "keepset 0.1.0 (1a2b3c4)".
std::string generator();

} // namespace keepset
