#pragma once

#include "core/model/config.h"

#include <ATen/core/Tensor.h>

namespace keepset {

/// cos and sin of every position's rotary angles, each (positions, dims), in the dtype that q and k are rotated in.
struct Rotation {
    at::Tensor cos;
    at::Tensor sin;
};

/// Inverse frequencies (dims / 2) float32, scaled as the config says for a text of `length` tokens (Hugging Face:
/// modeling_rope_utils.py).
at::Tensor inverse_frequencies(const RopeConfig& rope, std::int64_t length);

/// Rotation of `positions` (any shape) int64; negative ones turn back. Angles are float32 products, as in transformers;
/// cos and sin are multiplied by `factor`.
Rotation rotation_of(
    const at::Tensor& positions, const at::Tensor& inverse_frequencies, double factor, at::ScalarType dtype);

/// Rotates the two halves of the first dims of x's last axis against each other and leaves the rest: x (…, tokens,
/// head_dim), broadcast over what stands in front.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

} // namespace keepset
