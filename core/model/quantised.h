#pragma once

#include "core/model/safetensors.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

/// Weights that are not the numbers the model computes with: quantised ones, and what an adapter adds.
namespace keepset {

/// Throws Error{input} where config.json says that the weights are quantised: quantization_config, or MLX's
/// `quantization`. `file` names it.
void refuse_quantised(const nlohmann::json& fields, const std::string& file);

/// Throws Error{input} where a tensor is of a quantised model or an adapter, though config.json says nothing of it.
/// `layers` begins the names of the tensors that matter ("model.layers.").
void refuse_quantised(const WeightFiles& weights, const std::string& layers);

} // namespace keepset
