#include "kernels/cuda_module.h"
#include "kernels/cuda_check.h"
#include "kernels/importance/exponentials.h"
#include "kernels/importance/importance_cuda.h"
#include "kernels/map/attention_map_cuda.h"
#include "kernels/select/select_cuda.h"

namespace {

std::string device_name(int device)
{
    cudaDeviceProp properties {};
    KEEPSET_CHECK_CUDA(cudaGetDeviceProperties(&properties, device));
    return properties.name;
}

int capability(int device)
{
    int major = 0;
    int minor = 0;
    KEEPSET_CHECK_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    KEEPSET_CHECK_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
    return 10 * major + minor;
}

keepset::kernels::CudaDriver driver()
{
    keepset::kernels::CudaDriver found;
    found.needs = CUDART_VERSION;
    const cudaError_t no_version = cudaDriverGetVersion(&found.supports);
    const cudaError_t no_count = cudaGetDeviceCount(&found.devices);
    const cudaError_t status = no_count != cudaSuccess ? no_count : no_version;
    if (status != cudaSuccess) {
        found.devices = 0;
        found.problem = cudaGetErrorString(status);
    }
    cudaGetLastError(); // later calls must not find this one's error
    return found;
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
    static const CudaModule module = {
        .version = cuda_module_version,
        .bytes = sizeof(CudaModule),
        .minimum_capability = KEEPSET_MINIMUM_CAPABILITY,
        .driver = driver,
        .capability = capability,
        .importance = importance_cuda,
        .importance_workspace = importance_cuda_workspace,
        .attend = attend_cuda,
        .select = select_cuda,
        .attention_map = attention_map_cuda,
        .attention_map_workspace = attention_map_cuda_workspace,
        .flow = flow_cuda,
        .add_probabilities = add_probabilities_cuda,
        .add_edges = add_edges_cuda,
        .curvature = curvature_cuda,
        .curvature_workspace = curvature_cuda_workspace,
        .norm = norm_cuda,
        .gate = gate_cuda,
        .rotate = rotate_cuda,
        .score_rows = score_rows_cuda,
        .kept_rows = kept_rows_cuda,
        .pack_kept = pack_kept_cuda,
        .score_logits = score_logits_cuda,
        .exponentials = exponentials_cuda,
        .device_name = device_name,
        .memory = memory,
    };
    return &module;
}
