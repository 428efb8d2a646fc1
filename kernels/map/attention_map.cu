#include "kernels/cuda_check.h"
#include "kernels/importance/importance_paths.h"
#include "kernels/map/attention_map_cuda.h"
#include "kernels/map/attention_map_kernel.h"

namespace keepset::kernels {

namespace {

    using tiles::Plain;
    using tiles::TensorCores;

    std::int64_t strips_of(const AttentionMapInputs& inputs)
    {
        return (inputs.query_end - inputs.query_begin + map::tile - 1) / map::tile;
    }

    constexpr std::int64_t shares = 8; // of the keys: the last strips see all keys, and take longest

    template <typename Products, CellReduction reduction>
    void launch(const AttentionMapInputs& inputs, float* cells, cudaStream_t stream)
    {
        auto* partial = static_cast<double*>(inputs.attention.workspace);
        const int bytes = Products::bytes(inputs.attention.shape.head_dim) + static_cast<int>(sizeof(map::Tile));
        KEEPSET_CHECK_CUDA(
            cudaMemsetAsync(partial, 0, static_cast<std::size_t>(attention_map_cuda_workspace(inputs)), stream));
        KEEPSET_CHECK_CUDA(cudaFuncSetAttribute(
            map::map_strips<Products, reduction>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
        const dim3 grid(static_cast<unsigned>(strips_of(inputs)),
            static_cast<unsigned>(inputs.columns < shares ? inputs.columns : shares));
        map::map_strips<Products, reduction><<<grid, map::threads, bytes, stream>>>(inputs, partial);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
        const std::int64_t blocks = (inputs.rows * inputs.columns + map::threads - 1) / map::threads;
        map::finish_cells<reduction>
            <<<static_cast<unsigned>(blocks), map::threads, 0, stream>>>(inputs, partial, cells);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

    template <typename Products> void launch(const AttentionMapInputs& inputs, float* cells, cudaStream_t stream)
    {
        inputs.reduction == CellReduction::max ? launch<Products, CellReduction::max>(inputs, cells, stream)
                                               : launch<Products, CellReduction::mean>(inputs, cells, stream);
    }

    template <typename Element> void launch_half(const AttentionMapInputs& inputs, float* cells, cudaStream_t stream)
    {
        tiles::takes_tensor_cores(inputs.attention, device_limits().capability)
            ? launch<TensorCores<Element>>(inputs, cells, stream)
            : launch<Plain<Element>>(inputs, cells, stream);
    }

} // namespace

void attention_map_cuda(const AttentionMapInputs& inputs, float* cells, void* stream)
{
    const auto cuda_stream = static_cast<cudaStream_t>(stream);
    if (!tiles::fit_ints(inputs.attention.shape))
        throw std::runtime_error("the attention map on CUDA takes less than 2^30 queries and keys");
    switch (inputs.attention.type) {
    case ElementType::float32:
        return launch<Plain<float>>(inputs, cells, cuda_stream);
    case ElementType::bfloat16:
        return launch_half<__nv_bfloat16>(inputs, cells, cuda_stream);
    case ElementType::float16:
        return launch_half<__half>(inputs, cells, cuda_stream);
    }
}

std::int64_t attention_map_cuda_workspace(const AttentionMapInputs& inputs)
{
    return (strips_of(inputs) + inputs.rows - 1) * inputs.columns * static_cast<std::int64_t>(sizeof(double));
}

} // namespace keepset::kernels
