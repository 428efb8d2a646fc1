#pragma once

#include "core/types.h"

#include <functional>
#include <string>
#include <vector>

/// What `keepset-cli bench` measures below the engine: our kernels against what the tensor library offers, on the same
/// inputs.
namespace keepset {

/// Two ways to one result on one device.
struct Contest {
    std::string device; ///< "CPU, 2 threads", "NVIDIA H200"
    int repeats = 1; ///< how often a call of either does it, so that waiting for a GPU does not count
    std::function<void()> ours; ///< the kernel; inputs and outputs stay on the device
    std::function<void()> peer;
};

/// Keep sets by CAB with median bridges at 80% for 256 rows of 32768 tokens, against topk, kthvalue and scatter of the
/// tensor library, which leave ties open. On the CPU, and on a GPU where `options` takes one. Throws
/// Error{device, usage} as Engine::open_model does.
std::vector<Contest> select_contests(const OpenOptions& options);

} // namespace keepset
