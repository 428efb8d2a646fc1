#pragma once

#include "core/attention/column_sums.h"
#include "core/types.h"

#include <functional>

namespace keepset {

/// Where an engine computes.
struct ChosenDevice {
    at::Device device = at::kCPU;
    std::string name; ///< for people
    Backend backend;
};

/// "auto", "cpu", "cuda", "cuda:1" → a device. auto takes CUDA where there is a device. Throws Error{device, usage}.
ChosenDevice choose_device(const OpenOptions& options);

/// The dtype to compute in: automatic is float32 on the CPU and the checkpoint's on CUDA.
at::ScalarType choose_dtype(Dtype wanted, const std::string& checkpoint, at::Device device);
std::string dtype_name(at::ScalarType type);

/// Runs work with ATen's per-thread modes set, and turns what ATen and the C++ library throw into Error.
void guarded(int threads, const std::function<void()>& work);

} // namespace keepset
