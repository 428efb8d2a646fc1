#include "kernels/cuda_check.h"
#include "kernels/elements.h"
#include "kernels/importance/importance_paths.h"
#include "kernels/score_rule.h"

#include <algorithm>

namespace keepset::kernels {

namespace {

    constexpr int tile = 64; // keys of a block, and queries of a step
    constexpr int chunk = 32; // dims of q and k in shared memory at a time
    constexpr int side = 16; // side·side threads; each has 4 × 4 scores of the step
    constexpr int each = tile / side;
    constexpr int stride = tile + 1; // odd, so that a column is written without bank conflicts

    /// Copies dims [first_dim, first_dim + chunk) of rows [0, rows) to out (chunk, stride), zeros beyond the ends.
    template <typename T> __device__ void load(
        const T* source, int64_t token_stride, int64_t rows, int64_t first_dim, int64_t head_dim, float* out)
    {
        const int thread = threadIdx.y * side + threadIdx.x;
        const int dim = thread % chunk;
        for (int row = thread / chunk; row < tile; row += side * side / chunk) {
            const bool inside = row < rows && first_dim + dim < head_dim;
            out[dim * stride + row] = inside ? to_float(source[row * token_stride + first_dim + dim]) : 0.0F;
        }
    }

    /// A block owns `tile` keys of one query head, counted from the first that any query sees, and walks over the
    /// queries that see them, so that no atomics are needed and the order of additions is fixed. A thread adds 4
    /// probabilities a key in float, steps in double.
    template <typename T> __global__ void __launch_bounds__(side* side) column_sums(
        AttentionShape shape, const T* q, const T* k, const float* row_lse, const float* key_bias, float* sums)
    {
        __shared__ float q_chunk[chunk * stride]; // (chunk, tile)
        __shared__ float k_chunk[chunk * stride]; // (chunk, tile)
        __shared__ double partial[side][tile]; // (threads of a key, keys)
        const int64_t head = blockIdx.y;
        const int64_t first_key = first_key_of(shape, 0) + static_cast<int64_t>(blockIdx.x) * tile;
        const int64_t end_key = first_key + tile < shape.keys ? first_key + tile : shape.keys;
        const T* q_head = q + head * shape.q_head_stride;
        const T* k_tile
            = k + head / (shape.heads / shape.kv_heads) * shape.k_head_stride + first_key * shape.k_token_stride;
        const float* lse = row_lse + head * lse_stride(shape);

        const float factor = score_factor(shape.scale, shape.softcap);
        double totals[each] = {};
        const int64_t first_query = first_key > shape.query_begin ? first_key - shape.query_begin : 0;
        const int64_t end_query = end_query_of(shape, end_key - 1);
        for (int64_t query = first_query; query < end_query; query += tile) {
            float scores[each][each] = {}; // (queries, keys)
            for (int64_t dim = 0; dim < shape.head_dim; dim += chunk) {
                __syncthreads();
                load(q_head + query * shape.q_token_stride, shape.q_token_stride, shape.queries - query, dim,
                    shape.head_dim, q_chunk);
                load(k_tile, shape.k_token_stride, shape.keys - first_key, dim, shape.head_dim, k_chunk);
                __syncthreads();
                for (int at = 0; at < chunk; ++at) {
                    for (int i = 0; i < each; ++i) {
                        for (int j = 0; j < each; ++j)
                            scores[i][j] = fmaf(q_chunk[at * stride + threadIdx.y + i * side],
                                k_chunk[at * stride + threadIdx.x + j * side], scores[i][j]);
                    }
                }
            }
            for (int j = 0; j < each; ++j) {
                const int64_t key = first_key + threadIdx.x + j * side;
                const float bias
                    = key_bias != nullptr && key < shape.keys ? key_bias[head * sum_stride(shape) + key] : 0.0F;
                float step = 0;
                for (int i = 0; i < each; ++i) {
                    const int64_t row = query + threadIdx.y + i * side;
                    if (row < shape.queries && sees(shape, row, key))
                        step += probability_of<DeviceMath>(scores[i][j] * factor, shape.softcap, bias, lse[row]);
                }
                totals[j] += static_cast<double>(step);
            }
        }

        for (int j = 0; j < each; ++j)
            partial[threadIdx.y][threadIdx.x + j * side] = totals[j];
        __syncthreads();
        const int key = threadIdx.y * side + threadIdx.x;
        if (key < tile && first_key + key < shape.keys) {
            double total = 0;
            for (int row = 0; row < side; ++row)
                total += partial[row][key];
            sums[head * sum_stride(shape) + first_key + key] += static_cast<float>(total);
        }
    }

    template <typename T> void launch(const ImportanceInputs& inputs, float* sums, cudaStream_t stream)
    {
        const AttentionShape& shape = inputs.shape;
        const int64_t seen_keys = std::min(shape.keys, shape.query_begin + shape.queries) - first_key_of(shape, 0);
        if (shape.queries == 0 || seen_keys <= 0 || shape.heads == 0)
            return;
        const dim3 grid(static_cast<unsigned>((seen_keys + tile - 1) / tile), static_cast<unsigned>(shape.heads));
        column_sums<T><<<grid, dim3(side, side), 0, stream>>>(shape, static_cast<const T*>(inputs.q),
            static_cast<const T*>(inputs.k), inputs.row_lse, inputs.key_bias, sums);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

} // namespace

void importance_simple(const ImportanceInputs& inputs, float* sums, cudaStream_t stream)
{
    for (std::int64_t sequence = 0; sequence < sequences_of(inputs); ++sequence) {
        const ImportanceInputs one = sequence_of(inputs, sequence);
        float* const own = sums + first_key_column(inputs, sequence);
        switch (inputs.type) {
        case ElementType::float32:
            launch<float>(one, own, stream);
            break;
        case ElementType::bfloat16:
            launch<__nv_bfloat16>(one, own, stream);
            break;
        case ElementType::float16:
            launch<__half>(one, own, stream);
            break;
        }
    }
}

} // namespace keepset::kernels
