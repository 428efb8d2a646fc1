#include "kernels/cuda_module.h"
#include "kernels/importance_cuda.h"

extern "C" __attribute__((visibility("default"))) const keepset::kernels::CudaModule* keepset_cuda_module()
{
    static const keepset::kernels::CudaModule module
        = { keepset::kernels::cuda_module_version, keepset::kernels::importance_cuda };
    return &module;
}
