#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/StreamGuard.h>

#include <vector>

namespace keepset {

/// Where ATen queues this thread's work for a device, as the CUDA module takes it (a cudaStream_t), so that kernels of
/// ours run in turn with its own; nullptr on a CPU.
void* current_stream(at::Device device);

/// While it lives, this thread's work for those of the devices that are GPUs goes to streams of
/// its own, beside that of other threads with
/// another `slot`. The same slot has the same streams as long as the process runs, so that libraries do not make work
/// spaces for ever new ones. What was queued before is done when the constructor returns.
class OwnStreams {
public:
    OwnStreams(const std::vector<at::Device>& devices, std::size_t slot);

private:
    c10::MultiStreamGuard guard_;
};

} // namespace keepset
