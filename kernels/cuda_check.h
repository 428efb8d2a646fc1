#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

namespace keepset::kernels {

/// Throws std::runtime_error that names the call, its place and CUDA's own words, unless the call succeeded.
inline void check_cuda(cudaError_t status, const char* call, const char* path, int line)
{
    if (status == cudaSuccess)
        return;
    const std::string file = path;
    throw std::runtime_error(std::string(call) + " failed at " + file.substr(file.rfind('/') + 1) + ":"
        + std::to_string(line) + ": " + cudaGetErrorString(status));
}

} // namespace keepset::kernels

/// The one macro: only it knows the call's text.
#define KEEPSET_CHECK_CUDA(call) keepset::kernels::check_cuda((call), #call, __FILE__, __LINE__)
