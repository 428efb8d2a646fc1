#pragma once

#include "core/model/config.h"

#include <ATen/core/Tensor.h>

namespace keepset {

/// cos and sin of every position's rotary angles, each (positions, head_dim) in the dtype that q and k have.
struct Rotation {
    at::Tensor cos;
    at::Tensor sin;
};

/// Inverse frequencies (head_dim / 2) float32, scaled as the config says (Hugging Face: modeling_rope_utils.py).
at::Tensor inverse_frequencies(const DecoderConfig& config);

/// Rotation of `positions` (any shape) int64; negative ones turn back. Angles are float32 products, as in transformers.
Rotation rotation_of(const at::Tensor& positions, const at::Tensor& inverse_frequencies, at::ScalarType dtype);

/// Rotates the two halves of the last axis of x against each other: x (…, tokens, head_dim), broadcast over the rest.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

} // namespace keepset
