// Times the CUDA column sums alone: bench_importance_cuda [HEADS KV_HEADS [simple|mma|hopper]]. Median of 20 launches
// by device events. `keepset-cli bench kernels` relates them to others.
#include "tests/kernels/cuda_device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string_view>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

double median_ms(const CudaModule& module, const ImportanceInputs& inputs, float* sums)
{
    cudaEvent_t begin = nullptr;
    cudaEvent_t end = nullptr;
    KEEPSET_CHECK_CUDA(cudaEventCreate(&begin));
    KEEPSET_CHECK_CUDA(cudaEventCreate(&end));
    std::vector<float> times;
    for (int round = 0; round < 23; ++round) {
        KEEPSET_CHECK_CUDA(cudaEventRecord(begin, nullptr));
        module.importance(inputs, sums, nullptr);
        KEEPSET_CHECK_CUDA(cudaEventRecord(end, nullptr));
        KEEPSET_CHECK_CUDA(cudaEventSynchronize(end));
        float elapsed_ms = 0;
        KEEPSET_CHECK_CUDA(cudaEventElapsedTime(&elapsed_ms, begin, end));
        if (round >= 3)
            times.push_back(elapsed_ms);
    }
    KEEPSET_CHECK_CUDA(cudaEventDestroy(begin));
    KEEPSET_CHECK_CUDA(cudaEventDestroy(end));
    std::sort(times.begin(), times.end());
    return static_cast<double>(times[times.size() / 2]);
}

void bench(const CudaModule& module, const AttentionShape& wanted, ImportancePath path)
{
    const AttentionShape shape = make_case(wanted, true, 0).shape;
    const DeviceBuffer q(static_cast<std::size_t>(shape.heads * shape.queries * shape.head_dim) * 2);
    const DeviceBuffer k(static_cast<std::size_t>(shape.kv_heads * shape.keys * shape.head_dim) * 2);
    const DeviceBuffer lse(static_cast<std::size_t>(shape.heads * shape.queries) * sizeof(float));
    const DeviceBuffer sums(static_cast<std::size_t>(shape.heads * shape.keys) * sizeof(float));
    ImportanceInputs inputs;
    inputs.shape = shape;
    inputs.type = ElementType::bfloat16;
    inputs.path = path;
    inputs.q = q.data();
    inputs.k = k.data();
    inputs.row_lse = static_cast<const float*>(lse.data());
    const DeviceBuffer workspace(static_cast<std::size_t>(module.importance_workspace(inputs)));
    inputs.workspace = workspace.data();
    const double elapsed_ms = median_ms(module, inputs, static_cast<float*>(sums.data()));
    // Half of the N × N products, two operations each.
    const double operations = static_cast<double>(shape.queries) * static_cast<double>(shape.keys)
        * static_cast<double>(shape.head_dim * shape.heads);
    std::printf("N %6lld  head_dim %3lld  heads %lld/%lld  bfloat16: %8.3f ms  %6.1f TFLOP/s\n",
        static_cast<long long>(shape.keys), static_cast<long long>(shape.head_dim), static_cast<long long>(shape.heads),
        static_cast<long long>(shape.kv_heads), elapsed_ms, operations / elapsed_ms / 1e9);
}

} // namespace

int main(int count, char** arguments)
try {
    const LoadedModule loaded = load_cuda_module(std::filesystem::canonical("/proc/self/exe").parent_path().string());
    if (loaded.module == nullptr) {
        std::fprintf(stderr, "%s\n", loaded.reason.c_str());
        return 4;
    }
    const std::int64_t heads = count > 2 ? std::atoll(arguments[1]) : 32;
    const std::int64_t kv_heads = count > 2 ? std::atoll(arguments[2]) : 8;
    const std::string_view wanted = count > 3 ? arguments[3] : "";
    const ImportancePath path = wanted == "simple" ? ImportancePath::simple
        : wanted == "mma"                          ? ImportancePath::mma
        : wanted == "hopper"                       ? ImportancePath::hopper
                                                   : ImportancePath::automatic;
    for (const std::int64_t head_dim : { 64, 128 }) {
        for (const std::int64_t tokens : { 2048, 8192, 16384 })
            bench(*loaded.module, { heads, kv_heads, head_dim, tokens, tokens }, path);
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 4;
}
