#include "kernels/cuda_check.h"
#include "kernels/importance_hopper_kernel.h"
#include "kernels/importance_paths.h"

#include <cudaTypedefs.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace keepset::kernels {

namespace {

    using namespace hopper;

    // Exponentials bind at 64, and the registers of four warpgroups hold its keys: more of them hide more.
    constexpr int groups_of(std::int64_t head_dim) { return head_dim <= 64 ? 4 : 3; }
    template <int head_dim> using Chosen = Plan<head_dim, groups_of(head_dim), 128, head_dim <= 64 ? 6 : 4>;
    constexpr int step_queries = 128;

    bool is_own(const ImportanceInputs& inputs)
    {
        const AttentionShape& shape = inputs.shape;
        const bool known
            = shape.head_dim == 64 || shape.head_dim == 80 || shape.head_dim == 96 || shape.head_dim == 128;
        const std::int64_t strides = shape.q_head_stride | shape.q_token_stride; // the copy engine's: 16 bytes
        const auto address = reinterpret_cast<std::uintptr_t>(inputs.q);
        const bool aligned = strides % 8 == 0 && shape.q_token_stride > 0 && address % 16 == 0
            && (shape.k_head_stride | shape.k_token_stride) % 2 == 0
            && reinterpret_cast<std::uintptr_t>(inputs.k) % 4 == 0;
        constexpr std::int64_t most = 1 << 30; // positions are ints
        return inputs.type != ElementType::float32 && known && aligned && inputs.packed.count == 0 && shape.softcap == 0
            && inputs.key_bias == nullptr && (shape.heads == 1 || shape.q_head_stride > 0)
            && std::max(shape.queries, shape.keys) < most && std::abs(shape.query_begin) < most
            && device_limits().capability == 90;
    }

    std::int64_t seen_end(const AttentionShape& shape)
    {
        return shape.queries == 0 ? 0 : std::min(shape.keys, shape.query_begin + shape.queries);
    }

    std::int64_t blocks_of(const AttentionShape& shape)
    {
        const std::int64_t keys = groups_of(shape.head_dim) * group_keys;
        return std::max<std::int64_t>(0, (seen_end(shape) - first_key_of(shape, 0) + keys - 1) / keys);
    }

    std::int64_t parts_of(const AttentionShape& shape)
    {
        return query_parts(blocks_of(shape) * shape.heads, (shape.queries + step_queries - 1) / step_queries, shape,
            device_limits().multiprocessors);
    }

    /// Heads whose works go side by side. All of them where their queries are not much more than the second-level cache
    /// holds, since blocks read a head's queries at about the same time; else as many as half of it holds.
    std::int64_t heads_together(const AttentionShape& shape)
    {
        const std::int64_t bytes = shape.queries * shape.head_dim * 2; // of a head
        return shape.heads * bytes <= 128LL << 20 ? shape.heads
                                                  : std::clamp<std::int64_t>((32LL << 20) / bytes, 1, shape.heads);
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

    /// q (heads, queries, head_dim) in boxes of 64 dims of step_queries queries of a head.
    CUtensorMap map_of(const ImportanceInputs& inputs)
    {
        static const PFN_cuTensorMapEncodeTiled_v12000 encode = tensor_map_encoder();
        const AttentionShape& shape = inputs.shape;
        const auto size = [](std::int64_t count) { return static_cast<cuuint64_t>(count); };
        const cuuint64_t sizes[] = { size(shape.head_dim), size(shape.queries), size(shape.heads) };
        const std::int64_t head_stride = shape.heads == 1 ? shape.q_token_stride : shape.q_head_stride;
        const cuuint64_t strides[] = { size(2 * shape.q_token_stride), size(2 * head_stride) };
        const cuuint32_t box[] = { swizzled, step_queries, 1 };
        const cuuint32_t steps[] = { 1, 1, 1 };
        CUtensorMap map;
        const CUresult result = encode(&map,
            inputs.type == ElementType::bfloat16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
            3, const_cast<void*>(inputs.q), sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
            CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
        if (result != CUDA_SUCCESS)
            throw std::runtime_error("cuTensorMapEncodeTiled failed with code " + std::to_string(result));
        return map;
    }

    template <typename P, typename T>
    void launch_plan(const ImportanceInputs& inputs, const Launch& launch, std::int64_t parts, cudaStream_t stream)
    {
        KEEPSET_CHECK_CUDA(
            cudaFuncSetAttribute(column_sums<P, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, P::shared_bytes));
        // All heads together: a block goes through its share of works and hides their beginnings. In several sets the
        // long works come several times, and whoever is free takes the next: shares would differ by a fifth.
        const std::int64_t works = launch.blocks * launch.shape.heads;
        const bool shares = parts == 1 && launch.heads_together == launch.shape.heads;
        const std::int64_t blocks = shares ? std::min<std::int64_t>(works, device_limits().multiprocessors) : works;
        const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(parts));
        column_sums<P, T>
            <<<grid, P::threads, P::shared_bytes, stream>>>(launch, map_of(inputs), static_cast<const T*>(inputs.k));
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

    template <typename T>
    void launch_type(const ImportanceInputs& inputs, const Launch& launch, std::int64_t parts, cudaStream_t stream)
    {
        switch (inputs.shape.head_dim) {
        case 64:
            return launch_plan<Chosen<64>, T>(inputs, launch, parts, stream);
        case 80:
            return launch_plan<Chosen<80>, T>(inputs, launch, parts, stream);
        case 96:
            return launch_plan<Chosen<96>, T>(inputs, launch, parts, stream);
        default:
            return launch_plan<Chosen<128>, T>(inputs, launch, parts, stream);
        }
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
    Launch launch { shape, inputs.row_lse, sums, parts == 1 ? nullptr : static_cast<float*>(inputs.workspace),
        first_key_of(shape, 0), seen_end(shape), static_cast<int>(heads_together(shape)), static_cast<int>(blocks) };
    if (parts > 1) // keys that no query sees belong to no block
        KEEPSET_CHECK_CUDA(cudaMemsetAsync(
            inputs.workspace, 0, static_cast<std::size_t>(importance_hopper_workspace(inputs)), stream));
    if (inputs.type == ElementType::bfloat16)
        launch_type<__nv_bfloat16>(inputs, launch, parts, stream);
    else
        launch_type<__half>(inputs, launch, parts, stream);
    if (parts > 1)
        add_query_parts(launch.partial, parts, shape, sums, stream);
    return true;
}

std::int64_t importance_hopper_workspace(const ImportanceInputs& inputs)
{
    if (!is_own(inputs))
        return 0;
    const std::int64_t parts = parts_of(inputs.shape);
    return parts == 1 ? 0 : parts * inputs.shape.heads * inputs.shape.keys * static_cast<std::int64_t>(sizeof(float));
}

} // namespace keepset::kernels
