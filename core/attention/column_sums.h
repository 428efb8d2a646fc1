#pragma once

#include "core/model/score_rule.h"
#include "kernels/cuda_module.h"

#include <ATen/core/Tensor.h>

#include <stop_token>
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

/// Cumulative importance of one layer under its rule, whose window and biases count: q (heads, context, head_dim), k
/// (kv_heads, context, head_dim), row_lse (heads, context) float32, all on one device. Returns (heads, context) float32
/// on that device. Throws Cancelled between query blocks.
at::Tensor column_sums(const at::Tensor& q, const at::Tensor& k, const at::Tensor& row_lse, const ScoreRule& rule,
    const Backend& backend, const std::stop_token& stop);

} // namespace keepset
