#include "kernels/cuda_module.h"
#include "kernels/attention_map_cuda.h"
#include "kernels/cuda_check.h"
#include "kernels/exponentials.h"
#include "kernels/importance_cuda.h"
#include "kernels/select_cuda.h"

namespace {

std::string device_name(int device)
{
    cudaDeviceProp properties {};
    KEEPSET_CHECK_CUDA(cudaGetDeviceProperties(&properties, device));
    return properties.name;
}

void memory(int device, std::int64_t& free, std::int64_t& total)
{
    int before = 0;
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    KEEPSET_CHECK_CUDA(cudaGetDevice(&before));
    KEEPSET_CHECK_CUDA(cudaSetDevice(device));
    KEEPSET_CHECK_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    KEEPSET_CHECK_CUDA(cudaSetDevice(before));
    free = static_cast<std::int64_t>(free_bytes);
    total = static_cast<std::int64_t>(total_bytes);
}

} // namespace

extern "C" __attribute__((visibility("default"))) const keepset::kernels::CudaModule* keepset_cuda_module()
{
    using namespace keepset::kernels;
    static const CudaModule module = { cuda_module_version, importance_cuda, importance_cuda_workspace, select_cuda,
        attention_map_cuda, attention_map_cuda_workspace, flow_cuda, add_probabilities_cuda, add_edges_cuda,
        curvature_cuda, curvature_cuda_workspace, exponentials_cuda, device_name, memory };
    return &module;
}
