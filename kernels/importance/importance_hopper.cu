#include "kernels/cuda_check.h"
#include "kernels/importance/importance_hopper_kernel.h"
#include "kernels/importance/importance_paths.h"

#include <cudaTypedefs.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace keepset::kernels {

namespace {

    using namespace hopper;

    /// use.template operator()<Plan>() with the plan of a shape. Tiles are as large as registers let them be. Few works
    /// end sooner where a block has more warpgroups: at head_dim 64, 4 of them beat wider tiles up to 2048 tokens, and
    /// lose from 4096 on.
    template <typename Use> auto with_plan(const AttentionShape& shape, Use&& use)
    {
        switch (shape.head_dim) {
        case 64:
            return shape.queries < 3072 ? use.template operator()<Plan<64, 4, 128, 6>>()
                                        : use.template operator()<Plan<64, 3, 192, 6>>();
        case 80:
            return use.template operator()<Plan<80, 3, 192, 3>>();
        case 96:
            return use.template operator()<Plan<96, 3, 192, 3>>();
        default:
            return use.template operator()<Plan<128, 3, 128, 4>>();
        }
    }

    struct Tile {
        std::int64_t keys; ///< of a work
        std::int64_t queries; ///< of a step
    };

    Tile tile_of(const AttentionShape& shape)
    {
        return with_plan(shape, []<typename P>() { return Tile { P::keys, P::queries }; });
    }

    bool is_own(const ImportanceInputs& inputs)
    {
        const AttentionShape& shape = inputs.shape;
        const bool known
            = shape.head_dim == 64 || shape.head_dim == 80 || shape.head_dim == 96 || shape.head_dim == 128;
        const auto copied = [](const void* data, std::int64_t heads, std::int64_t head, std::int64_t token) {
            return (head | token) % 8 == 0 && token > 0 && (heads == 1 || head > 0) // the copy engine's: 16 bytes
                && reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
        };
        constexpr std::int64_t most = 1 << 30; // positions are ints
        return inputs.type != ElementType::float32 && known && inputs.packed.count == 0 && shape.softcap == 0
            && inputs.key_bias == nullptr && copied(inputs.q, shape.heads, shape.q_head_stride, shape.q_token_stride)
            && copied(inputs.k, shape.kv_heads, shape.k_head_stride, shape.k_token_stride)
            && std::max(shape.queries, shape.keys) < most && std::abs(shape.query_begin) < most
            && device_limits().capability == 90;
    }

    std::int64_t seen_end(const AttentionShape& shape)
    {
        return shape.queries == 0 ? 0 : std::min(shape.keys, shape.query_begin + shape.queries);
    }

    std::int64_t blocks_of(const AttentionShape& shape)
    {
        const std::int64_t keys = tile_of(shape).keys;
        return std::max<std::int64_t>(0, (seen_end(shape) - first_key_of(shape, 0) + keys - 1) / keys);
    }

    std::int64_t parts_of(const AttentionShape& shape)
    {
        const std::int64_t step = tile_of(shape).queries;
        return query_parts(
            blocks_of(shape) * shape.heads, (shape.queries + step - 1) / step, shape, device_limits().multiprocessors);
    }

    /// Of the parts' sums (parts, heads, keys); none where a work has all queries.
    std::int64_t partial_bytes_of(const AttentionShape& shape)
    {
        const std::int64_t parts = parts_of(shape);
        return parts == 1 ? 0 : parts * shape.heads * shape.keys * static_cast<std::int64_t>(sizeof(float));
    }

    /// Heads whose works go side by side: as many as have room for their queries in half of the second-level cache.
    std::int64_t heads_together(const AttentionShape& shape)
    {
        const std::int64_t bytes = shape.queries * shape.head_dim * 2; // of a head
        return std::clamp<std::int64_t>((32LL << 20) / bytes, 1, shape.heads);
    }

    /// The driver's function, found at run time: the module must load where no driver is.
    PFN_cuTensorMapEncodeTiled_v12000 tensor_map_encoder()
    {
        void* function = nullptr;
        cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
        KEEPSET_CHECK_CUDA(
            cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found));
        if (found != cudaDriverEntryPointSuccess)
            throw std::runtime_error("the driver has no cuTensorMapEncodeTiled: it is older than CUDA 12");
        return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
    }

    /// Rows (heads, count, head_dim) of 16-bit elements, in boxes of 64 dims of `box_rows` of them.
    struct Rows {
        const void* data;
        std::int64_t heads;
        std::int64_t count;
        std::int64_t head_stride;
        std::int64_t stride;
        int box_rows;
    };

    CUtensorMap map_of(const Rows& rows, std::int64_t head_dim, ElementType type)
    {
        static const PFN_cuTensorMapEncodeTiled_v12000 encode = tensor_map_encoder();
        const auto size = [](std::int64_t count) { return static_cast<cuuint64_t>(count); };
        const cuuint64_t sizes[] = { size(head_dim), size(rows.count), size(rows.heads) };
        const std::int64_t head_stride = rows.heads == 1 ? rows.stride : rows.head_stride;
        const cuuint64_t strides[] = { size(2 * rows.stride), size(2 * head_stride) };
        const cuuint32_t box[] = { swizzled, static_cast<cuuint32_t>(rows.box_rows), 1 };
        const cuuint32_t steps[] = { 1, 1, 1 };
        CUtensorMap map;
        const CUresult result = encode(&map,
            type == ElementType::bfloat16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 3,
            const_cast<void*>(rows.data), sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
            CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
        if (result != CUDA_SUCCESS)
            throw std::runtime_error("cuTensorMapEncodeTiled failed with code " + std::to_string(result));
        return map;
    }

    template <typename P, typename T>
    void launch_plan(const ImportanceInputs& inputs, const Launch& launch, cudaStream_t stream)
    {
        KEEPSET_CHECK_CUDA(
            cudaFuncSetAttribute(column_sums<P, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, P::shared_bytes));
        const AttentionShape& shape = inputs.shape;
        const Rows queries { inputs.q, shape.heads, shape.queries, shape.q_head_stride, shape.q_token_stride,
            P::queries };
        const Rows keys { inputs.k, shape.kv_heads, shape.keys, shape.k_head_stride, shape.k_token_stride, P::keys };
        const auto blocks = std::min<std::int64_t>(launch.works, device_limits().multiprocessors);
        column_sums<P, T><<<static_cast<unsigned>(blocks), P::threads, P::shared_bytes, stream>>>(
            launch, map_of(queries, shape.head_dim, inputs.type), map_of(keys, shape.head_dim, inputs.type));
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

} // namespace

bool importance_hopper(const ImportanceInputs& inputs, float* sums, cudaStream_t stream)
{
    if (!is_own(inputs))
        return false;
    const AttentionShape& shape = inputs.shape;
    const std::int64_t blocks = blocks_of(shape);
    if (blocks == 0 || shape.heads == 0)
        return true;
    const std::int64_t parts = parts_of(shape);
    const std::int64_t partial_bytes = partial_bytes_of(shape);
    // Keys that no query sees belong to no block, and of works none is taken yet.
    KEEPSET_CHECK_CUDA(
        cudaMemsetAsync(inputs.workspace, 0, static_cast<std::size_t>(partial_bytes) + sizeof(unsigned), stream));
    auto* workspace = static_cast<unsigned char*>(inputs.workspace);
    const Launch launch { shape, inputs.row_lse, sums, parts == 1 ? nullptr : reinterpret_cast<float*>(workspace),
        first_key_of(shape, 0), seen_end(shape), static_cast<int>(heads_together(shape)), static_cast<int>(blocks),
        static_cast<int>(parts), static_cast<int>(blocks * shape.heads * parts),
        reinterpret_cast<unsigned*>(workspace + partial_bytes) };
    with_plan(shape, [&]<typename P>() {
        if (inputs.type == ElementType::bfloat16)
            launch_plan<P, __nv_bfloat16>(inputs, launch, stream);
        else
            launch_plan<P, __half>(inputs, launch, stream);
    });
    if (parts > 1)
        add_query_parts(launch.partial, parts, shape, sums, stream);
    return true;
}

std::int64_t importance_hopper_workspace(const ImportanceInputs& inputs)
{
    return is_own(inputs) ? partial_bytes_of(inputs.shape) + static_cast<std::int64_t>(sizeof(unsigned)) : 0;
}

} // namespace keepset::kernels
