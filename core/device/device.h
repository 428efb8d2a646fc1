#pragma once

#include "core/device/backend.h"
#include "core/model_info.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace keepset {

/// Where an engine computes.
struct ChosenDevice {
    at::Device device = at::kCPU; ///< has the embedding and the head
    std::vector<at::Device> devices = { at::kCPU }; ///< of the layers, in order; `device` is the first
    std::string name; ///< for people
    Backend backend;
    std::vector<std::string> notes = {}; ///< what a user should know about the choice, a sentence each

    std::string text() const; ///< "cpu", "cuda:0", "cuda:0,cuda:1"
};

/// "auto", "cpu", "cuda", "cuda:1", "cuda:0,cuda:1" → devices, as choose_cuda says. auto takes CUDA where there is a
/// device that the kernels run on. Throws Error{device, usage}.
ChosenDevice choose_device(const OpenOptions& options);

/// The same with the next CUDA device that can be used added; as it is where there is none.
ChosenDevice add_device(const ChosenDevice& chosen);

/// Bytes that are left for layers on each device: all that is `free` (devices), less the embedding and the head on the
/// first. At least 1 each.
std::vector<std::int64_t> room_for_layers(std::vector<std::int64_t> free, std::int64_t embedding_and_head);

/// Where each layer lies: layers in order, as many on a device as its share of `room` (devices) says.
std::vector<at::Device> place_layers(
    std::int64_t layers, const std::vector<at::Device>& devices, const std::vector<std::int64_t>& room);

/// The dtype to compute in: automatic is float32 on the CPU and the checkpoint's on CUDA.
at::ScalarType choose_dtype(Dtype wanted, const std::string& checkpoint, at::Device device);
std::string dtype_name(at::ScalarType type);

/// Runs work with ATen's per-thread modes set, and turns what ATen, the CUDA module and the C++ library throw into
/// Error.
void guarded(int threads, const std::function<void()>& work);

} // namespace keepset
