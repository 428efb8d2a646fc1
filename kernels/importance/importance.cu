#include "kernels/cuda_check.h"
#include "kernels/importance/importance_cuda.h"
#include "kernels/importance/importance_paths.h"

#include <algorithm>

namespace keepset::kernels {

namespace {

    constexpr int reduce_threads = 256;

    __global__ void add_parts(const float* partial, int64_t parts, AttentionShape shape, float* sums)
    {
        const int64_t at = static_cast<int64_t>(blockIdx.x) * reduce_threads + threadIdx.x;
        const int64_t count = shape.heads * shape.keys;
        if (at >= count)
            return;
        float total = 0;
        for (int64_t part = 0; part < parts; ++part)
            total += partial[part * count + at];
        sums[at / shape.keys * sum_stride(shape) + at % shape.keys] += total;
    }

} // namespace

DeviceLimits device_limits()
{
    int device = 0;
    int major = 0;
    int minor = 0;
    DeviceLimits limits;
    KEEPSET_CHECK_CUDA(cudaGetDevice(&device));
    KEEPSET_CHECK_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    KEEPSET_CHECK_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
    KEEPSET_CHECK_CUDA(cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device));
    limits.capability = 10 * major + minor;
    return limits;
}

std::int64_t query_parts(std::int64_t blocks, std::int64_t steps, const AttentionShape& shape, std::int64_t enough)
{
    const std::int64_t wanted = (enough + blocks - 1) / std::max<std::int64_t>(blocks, 1);
    const std::int64_t row_bytes = std::max<std::int64_t>(4 * shape.heads * shape.keys, 1);
    const std::int64_t most = std::min({ max_query_parts, steps, max_partial_bytes / row_bytes });
    return std::max<std::int64_t>(1, std::min(wanted, most));
}

void add_query_parts(
    const float* partial, std::int64_t parts, const AttentionShape& shape, float* sums, cudaStream_t stream)
{
    const std::int64_t blocks = (shape.heads * shape.keys + reduce_threads - 1) / reduce_threads;
    if (blocks == 0) // packed sequences without a key
        return;
    add_parts<<<static_cast<unsigned>(blocks), reduce_threads, 0, stream>>>(partial, parts, shape, sums);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

void importance_cuda(const ImportanceInputs& inputs, float* sums, void* stream)
{
    const auto cuda_stream = static_cast<cudaStream_t>(stream);
    const auto wanted
        = [&](ImportancePath path) { return inputs.path == path || inputs.path == ImportancePath::automatic; };
    if (wanted(ImportancePath::hopper) && importance_hopper(inputs, sums, cuda_stream))
        return;
    if (wanted(ImportancePath::mma) && importance_mma(inputs, sums, cuda_stream))
        return;
    if (!wanted(ImportancePath::simple))
        throw std::runtime_error("the importance kernel that was asked for does not take these inputs on this device");
    importance_simple(inputs, sums, cuda_stream);
}

std::int64_t importance_cuda_workspace(const ImportanceInputs& inputs)
{
    return std::max(importance_hopper_workspace(inputs), importance_mma_workspace(inputs));
}

} // namespace keepset::kernels
