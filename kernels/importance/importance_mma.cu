#include "kernels/cuda_check.h"
#include "kernels/importance/importance_mma_kernel.h"
#include "kernels/importance/importance_paths.h"

#include <algorithm>

namespace keepset::kernels {

namespace {

    using mma::Launch;
    using mma::Tile;

    /// Keys of a block, the same for every tile that a head_dim may choose.
    constexpr int block_keys(std::int64_t head_dim) { return head_dim > 128 ? 128 : 256; }

    bool is_own(const ImportanceInputs& inputs)
    {
        const AttentionShape& shape = inputs.shape;
        const auto aligned = [](const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; };
        const std::int64_t strides
            = shape.q_head_stride | shape.q_token_stride | shape.k_head_stride | shape.k_token_stride;
        constexpr std::int64_t most = 1 << 30; // positions are ints
        return inputs.type != ElementType::float32 && shape.head_dim > 0 && shape.head_dim % 16 == 0
            && shape.head_dim <= 256 && strides % 8 == 0 && aligned(inputs.q) && aligned(inputs.k)
            && std::max(shape.queries, shape.keys) < most && std::abs(shape.query_begin) < most
            && device_limits().capability >= 80;
    }

    std::int64_t tiles_of(const AttentionShape& shape)
    {
        const std::int64_t keys = block_keys(shape.head_dim);
        return (shape.keys + keys - 1) / keys;
    }

    std::int64_t parts_of(const ImportanceInputs& inputs)
    {
        std::int64_t blocks = 0;
        std::int64_t queries = 0;
        for (std::int64_t at = 0; at < sequences_of(inputs); ++at) {
            const AttentionShape shape = sequence_of(inputs, at).shape;
            blocks += tiles_of(shape) * shape.heads;
            queries = std::max(queries, shape.queries);
        }
        return query_parts(blocks, queries / mma::step_queries, inputs.shape,
            4LL * device_limits().multiprocessors); // two blocks a multiprocessor, twice over for an even end
    }

    template <typename T> void launch_tile(const Launch& launch, std::int64_t blocks, cudaStream_t stream)
    {
        static_assert(T::keys == block_keys(T::head_dim));
        KEEPSET_CHECK_CUDA(
            cudaFuncSetAttribute(mma::column_sums<T>, cudaFuncAttributeMaxDynamicSharedMemorySize, T::shared_bytes));
        mma::column_sums<T><<<static_cast<unsigned>(blocks), T::threads, T::shared_bytes, stream>>>(launch);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

    template <typename Element> void launch_plain(const Launch& launch, std::int64_t blocks, cudaStream_t stream)
    {
        const std::int64_t head_dim = launch.shape.head_dim;
        if (head_dim <= 64)
            return launch_tile<Tile<Element, 64, 8, 2, 4, 2, true>>(launch, blocks, stream);
        if (head_dim <= 80)
            return launch_tile<Tile<Element, 80, 8, 2, 4, 1, true>>(launch, blocks, stream);
        if (head_dim <= 96)
            return launch_tile<Tile<Element, 96, 8, 2, 4, 1, true>>(launch, blocks, stream);
        if (head_dim <= 128)
            return launch_tile<Tile<Element, 128, 8, 2, 4, 1, true>>(launch, blocks, stream);
        return launch_tile<Tile<Element, 256, 8, 1, 4, 1, true>>(launch, blocks, stream);
    }

    template <typename Element> void launch_ruled(const Launch& launch, std::int64_t blocks, cudaStream_t stream)
    {
        const std::int64_t head_dim = launch.shape.head_dim;
        if (head_dim <= 64)
            return launch_tile<Tile<Element, 64, 8, 2, 4, 1, false>>(launch, blocks, stream);
        if (head_dim <= 128)
            return launch_tile<Tile<Element, 128, 8, 2, 4, 1, false>>(launch, blocks, stream);
        return launch_tile<Tile<Element, 256, 8, 1, 4, 1, false>>(launch, blocks, stream);
    }

    void launch_all(const ImportanceInputs& inputs, const Launch& launch, std::int64_t blocks, cudaStream_t stream)
    {
        if (blocks == 0)
            return;
        const bool plain = inputs.shape.softcap == 0 && inputs.key_bias == nullptr;
        if (inputs.type == ElementType::bfloat16)
            plain ? launch_plain<__nv_bfloat16>(launch, blocks, stream)
                  : launch_ruled<__nv_bfloat16>(launch, blocks, stream);
        else
            plain ? launch_plain<__half>(launch, blocks, stream) : launch_ruled<__half>(launch, blocks, stream);
    }

    /// As many sequences a launch as fit its parameters.
    void launch_sequences(const ImportanceInputs& inputs, Launch& launch, cudaStream_t stream)
    {
        std::int64_t blocks = 0;
        for (std::int64_t at = 0; at < sequences_of(inputs); ++at) {
            const AttentionShape shape = sequence_of(inputs, at).shape;
            mma::Span& span = launch.span[launch.spans++];
            span.first_query = inputs.packed.count == 0 ? 0 : static_cast<int>(inputs.packed.query_starts[at]);
            span.queries = static_cast<int>(shape.queries);
            span.first_key = static_cast<int>(first_key_column(inputs, at));
            span.keys = static_cast<int>(shape.keys);
            span.query_begin = static_cast<int>(shape.query_begin);
            span.first_block = static_cast<int>(blocks);
            blocks += tiles_of(shape) * shape.heads * launch.parts;
            if (launch.spans == mma::max_spans) {
                launch_all(inputs, launch, blocks, stream);
                launch.spans = 0;
                blocks = 0;
            }
        }
        launch_all(inputs, launch, blocks, stream);
    }

} // namespace

bool importance_mma(const ImportanceInputs& inputs, float* sums, cudaStream_t stream)
{
    if (!is_own(inputs))
        return false;
    const std::int64_t parts = parts_of(inputs);
    Launch launch;
    launch.shape = inputs.shape;
    launch.q = inputs.q;
    launch.k = inputs.k;
    launch.row_lse = inputs.row_lse;
    launch.key_bias = inputs.key_bias;
    launch.sums = sums;
    launch.partial = static_cast<float*>(inputs.workspace);
    launch.parts = static_cast<int>(parts);
    launch_sequences(inputs, launch, stream);
    if (parts > 1)
        add_query_parts(launch.partial, parts, inputs.shape, sums, stream);
    return true;
}

std::int64_t importance_mma_workspace(const ImportanceInputs& inputs)
{
    if (!is_own(inputs))
        return 0;
    const std::int64_t parts = parts_of(inputs);
    return parts == 1 ? 0 : parts * inputs.shape.heads * inputs.shape.keys * static_cast<std::int64_t>(sizeof(float));
}

} // namespace keepset::kernels
