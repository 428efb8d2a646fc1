#pragma once

#include "kernels/bridges/attention_graph.h"
#include "kernels/cpu_inputs.h"
#include "kernels/importance/importance_variant.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <omp.h>

/// Blocks of P on the CPU, by the fastest version of the vectorised tile.
namespace keepset::kernels {

/// Rows, log-sum-exp and bias of one query head, as they lie or as they were gathered.
struct HeadRows {
    const float* q = nullptr; ///< (queries, head_dim)
    std::int64_t q_stride = 0;
    const float* lse = nullptr; ///< (queries), NaN where the query must poison what it touches
    const float* k = nullptr; ///< (keys, head_dim)
    std::int64_t k_stride = 0;
    const float* bias = nullptr; ///< (keys), or nullptr
};

/// poisoned_lse of every query of one head.
inline std::vector<float> poisoned_lse_of(const ImportanceInputs& inputs, std::int64_t head)
{
    std::vector<float> lse(static_cast<std::size_t>(inputs.shape.queries));
    for (std::size_t query = 0; query < lse.size(); ++query)
        lse[query] = poisoned_lse(inputs, head * inputs.shape.queries + static_cast<std::int64_t>(query));
    return lse;
}

/// One query head as it lies; lse from poisoned_lse_of.
inline HeadRows rows_of(const ImportanceInputs& inputs, std::int64_t head, const std::vector<float>& lse)
{
    const AttentionShape& shape = inputs.shape;
    return { static_cast<const float*>(inputs.q) + head * shape.q_head_stride, shape.q_token_stride, lse.data(),
        static_cast<const float*>(inputs.k) + head / (shape.heads / shape.kv_heads) * shape.k_head_stride,
        shape.k_token_stride, inputs.key_bias == nullptr ? nullptr : inputs.key_bias + head * sum_stride(shape) };
}

/// Makes blocks of P in memory of each thread, which is taken here: an exception must not leave an OpenMP region. Keys
/// are packed once a block, so that a block has many queries where its tile has few keys: 128 KiB in all.
struct PBlocks {
    static constexpr std::int64_t most_queries = 192;

    PBlocks(const AttentionShape& shape, int threads)
        : keys(keys_of_tile(variant, shape.head_dim))
        , queries(std::clamp<std::int64_t>((1LL << 15) / keys / 48 * 48, 48, most_queries))
        , stride(keys + 16)
        , packed_size((keys * std::max<std::int64_t>(shape.head_dim, 1) + 15) / 16 * 16)
        , packed(aligned_floats(packed_size * threads))
        , out(aligned_floats(queries * stride * threads))
    {
    }

    /// P of queries [begin, end) and keys [begin, end), at most `queries` and `keys` of them, whether seen or not.
    /// Returns (queries, stride), there until the thread's next call.
    const float* p(
        const AttentionShape& shape, const HeadRows& rows, const QueryRange& block, const QueryRange& tile_keys) const
    {
        KeyTile tile;
        tile.q = rows.q;
        tile.q_stride = rows.q_stride;
        tile.queries = block.end;
        tile.lse = rows.lse;
        tile.k = rows.k + tile_keys.begin * rows.k_stride;
        tile.k_stride = rows.k_stride;
        tile.keys = tile_keys.end - tile_keys.begin;
        tile.bias = rows.bias == nullptr ? nullptr : rows.bias + tile_keys.begin;
        tile.head_dim = shape.head_dim;
        tile.first_query = block.begin;
        tile.scale = shape.scale;
        tile.softcap = shape.softcap;
        float* own = out.get() + omp_get_thread_num() * queries * stride;
        variant.probabilities(tile, packed.get() + omp_get_thread_num() * packed_size, own, stride);
        return own;
    }

    ImportanceVariant variant = importance_variants().back();
    std::int64_t keys; ///< of a tile
    std::int64_t queries; ///< of a block
    std::int64_t stride; ///< between rows of p, in floats
    std::int64_t packed_size; ///< of a thread
    AlignedFloats packed;
    AlignedFloats out;
};

} // namespace keepset::kernels
