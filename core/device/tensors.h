#pragma once

#include "kernels/shapes.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace keepset {

/// The kernels' name of a dtype. Throws Error{internal} for one that they do not know.
kernels::ElementType element_type(at::ScalarType type);

/// Numbers of the host's memory on a device, (count). A GPU is not waited for: what is copied is small, and taken
/// before this returns.
at::Tensor to_device(std::span<const std::int64_t> values, at::Device device);
at::Tensor to_device(std::span<const std::int32_t> values, at::Device device);

} // namespace keepset
