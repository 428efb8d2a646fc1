#pragma once

#include "core/model/config.h"
#include "core/model/safetensors.h"
#include "core/model_info.h"

namespace keepset {

/// What config and headers say of a folder; tokenizer, device and dtype are left to the caller.
ModelInfo describe(const std::filesystem::path& folder, const DecoderConfig& config, const WeightFiles& weights);

} // namespace keepset
