#include "kernels/cpu_inputs.h"
#include "kernels/importance/importance_variant.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <omp.h>

namespace keepset::kernels {

namespace {

    /// Keys [first_key, end_key) of the head, each seen by some query.
    KeyTile key_tile(const ImportanceInputs& inputs, const float* lse, std::int64_t head, std::int64_t first_key,
        std::int64_t end_key)
    {
        const AttentionShape& shape = inputs.shape;
        KeyTile tile;
        tile.q = static_cast<const float*>(inputs.q) + head * shape.q_head_stride;
        tile.q_stride = shape.q_token_stride;
        tile.lse = lse + head * shape.queries;
        tile.k = static_cast<const float*>(inputs.k) + head / (shape.heads / shape.kv_heads) * shape.k_head_stride
            + first_key * shape.k_token_stride;
        tile.k_stride = shape.k_token_stride;
        tile.keys = end_key - first_key;
        tile.bias = inputs.key_bias == nullptr ? nullptr : inputs.key_bias + head * sum_stride(shape) + first_key;
        tile.head_dim = shape.head_dim;
        tile.queries = end_query_of(shape, end_key - 1);
        tile.first_query = std::max<std::int64_t>(0, first_key - shape.query_begin);
        tile.diagonal = shape.query_begin - first_key;
        tile.window = shape.window;
        tile.scale = shape.scale;
        tile.softcap = shape.softcap;
        return tile;
    }

    void one_sequence(const ImportanceVariant& variant, const ImportanceInputs& inputs, float* sums, int threads)
    {
        const AttentionShape& shape = inputs.shape;
        threads = useful_threads(static_cast<double>(shape.heads * shape.head_dim)
                * (static_cast<double>(shape.queries) * static_cast<double>(shape.keys)),
            threads);
        const std::int64_t rows = shape.heads * shape.queries;
        const std::int64_t tile_keys = keys_of_tile(variant, shape.head_dim);
        const std::int64_t seen_begin = first_key_of(shape, 0);
        const std::int64_t seen_end = shape.queries > 0 ? std::min(shape.keys, shape.query_begin + shape.queries) : 0;
        const std::int64_t tiles = std::max<std::int64_t>(0, (seen_end - seen_begin + tile_keys - 1) / tile_keys);
        // An exception must not leave an OpenMP region, so all memory is taken here.
        const std::int64_t workspace = (tile_keys * shape.head_dim + 15) / 16 * 16;
        const AlignedFloats packed = aligned_floats(workspace * threads);
        const AlignedFloats lse = aligned_floats(rows); // (heads, queries)
        std::vector<double> tile_sums(static_cast<std::size_t>(tile_keys * threads));
#pragma omp parallel num_threads(threads)
        {
            const std::int64_t thread = omp_get_thread_num();
            double* own = tile_sums.data() + thread * tile_keys; // (tile_keys)
#pragma omp for schedule(static)
            for (std::int64_t row = 0; row < rows; ++row)
                lse[static_cast<std::size_t>(row)] = poisoned_lse(inputs, row);
                // A head's first tiles are its longest, so the short ones fill the end.
#pragma omp for schedule(dynamic) nowait
            for (std::int64_t task = 0; task < shape.heads * tiles; ++task) {
                const std::int64_t head = task / tiles;
                const std::int64_t first_key = seen_begin + task % tiles * tile_keys;
                const std::int64_t end_key = std::min(first_key + tile_keys, seen_end);
                const KeyTile tile = key_tile(inputs, lse.get(), head, first_key, end_key);
                variant.tile(tile, packed.get() + thread * workspace, own);
                for (std::int64_t key = 0; key < tile.keys; ++key)
                    sums[head * sum_stride(shape) + first_key + key] += static_cast<float>(own[key]);
            }
        }
    }

} // namespace

std::vector<ImportanceVariant> importance_variants()
{
    std::vector<ImportanceVariant> variants = { baseline::variant };
#ifdef KEEPSET_X86_VARIANTS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        variants.push_back(avx2::variant);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        variants.push_back(avx512::variant);
#endif
    return variants;
}

void importance_cpu_with(const ImportanceVariant& variant, const ImportanceInputs& inputs, float* sums, int threads)
{
    if (inputs.type != ElementType::float32)
        throw std::runtime_error("importance_cpu takes float32 queries and keys only");
    for (std::int64_t sequence = 0; sequence < sequences_of(inputs); ++sequence)
        one_sequence(variant, sequence_of(inputs, sequence), sums + first_key_column(inputs, sequence), threads);
}

void importance_cpu(const ImportanceInputs& inputs, float* sums, int threads)
{
    importance_cpu_with(importance_variants().back(), inputs, sums, threads);
}

} // namespace keepset::kernels
