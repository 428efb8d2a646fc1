#pragma once

#include "core/model/config.h"
#include "core/model/rotary.h"

#include <ATen/core/Tensor.h>

/// The small operations of a layer between its products: on a GPU one launch each, where the tensor library takes four
/// to eight; on the CPU the library's. Both round alike.
namespace keepset {

/// Root-mean-square norm of x (…, size), by weight (size): of x's dtype, and then x is rounded before it is multiplied
/// (NormKind::rms), or float32, and all is rounded once.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// x (rows, in), weight (out, in), bias (out) or undefined → (rows, out).
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

/// act(gate) · up of gate_up (rows, 2 · wide), the gate first. Returns (rows, wide).
at::Tensor gated(const at::Tensor& gate_up, Activation activation);
/// In place.
void activate(at::Tensor& x, Activation activation);

/// Rotates x (batch, heads, rows, head_dim) by tables of (rows) or (batch, 1, rows) positions, in place.
void rotate_rows(const at::Tensor& x, const Rotation& rotation);
/// Queries and keys, each as rotate_rows does; in one launch where they lie side by side.
void rotate_both(const at::Tensor& q, const at::Tensor& k, const Rotation& rotation);

} // namespace keepset
