#pragma once

#include "kernels/cuda_module.h"

#include <string>

namespace keepset {

/// What runs the kernels: CPU threads, and the CUDA module where one is loaded.
struct Backend {
    int threads = 1;
    const kernels::CudaModule* cuda = nullptr;
};

/// The CUDA module, or why there is none.
struct CudaLoad {
    const kernels::CudaModule* module = nullptr; ///< absent where there is none, or no device for it
    std::string why_not; ///< a phrase
    bool has_driver = false; ///< without a module: there is a driver, so that a user will expect a GPU
};

/// Loads the CUDA module beside the program, once.
const CudaLoad& load_cuda();
/// The same: nullptr and the reason in `why_not` where there is none, or no device.
const kernels::CudaModule* load_cuda_module(std::string& why_not);

} // namespace keepset
