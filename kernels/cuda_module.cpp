#include "kernels/cuda_module.h"
#include "kernels/cuda_check.h"
#include "kernels/importance_cuda.h"

namespace {

std::string device_name(int device)
{
    cudaDeviceProp properties {};
    KEEPSET_CHECK_CUDA(cudaGetDeviceProperties(&properties, device));
    return properties.name;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const keepset::kernels::CudaModule* keepset_cuda_module()
{
    static const keepset::kernels::CudaModule module
        = { keepset::kernels::cuda_module_version, keepset::kernels::importance_cuda, device_name };
    return &module;
}
