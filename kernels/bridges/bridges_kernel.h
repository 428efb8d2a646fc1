#pragma once

// Device code of bridges.cu: P in tiles of 64 × 64, never stored whole.

#include "kernels/bridges/attention_graph.h"
#include "kernels/score_tiles.h"

#include <cstdint>

namespace keepset::kernels::tiles {

/// Query heads of one launch.
struct HeadInputs {
    ImportanceInputs all;
    int first_head = 0;
    int end_head = 0;
};

template <typename Element> __device__ inline Rows queries_of(const ImportanceInputs& inputs, int64_t head)
{
    const AttentionShape& shape = inputs.shape;
    return { static_cast<const Element*>(inputs.q) + head * shape.q_head_stride, shape.q_token_stride, nullptr };
}

template <typename Element> __device__ inline Rows keys_of(const ImportanceInputs& inputs, int64_t head)
{
    const AttentionShape& shape = inputs.shape;
    return { static_cast<const Element*>(inputs.k) + head / (shape.heads / shape.kv_heads) * shape.k_head_stride,
        shape.k_token_stride, nullptr };
}

__device__ inline const float* lse_of(const ImportanceInputs& inputs, int64_t head)
{
    return inputs.row_lse + head * lse_stride(inputs.shape);
}

__device__ inline float bias_of(const ImportanceInputs& inputs, int64_t head, int64_t key)
{
    return inputs.key_bias == nullptr ? 0.0F : inputs.key_bias[head * sum_stride(inputs.shape) + key];
}

/// The important tokens, ascending.
struct Picked {
    const std::int32_t* tokens = nullptr;
    int count = 0;

    /// How many come before a position.
    __device__ int before(int64_t position) const
    {
        int low = 0;
        int high = count;
        while (low < high) {
            const int middle = low + (high - low) / 2;
            if (tokens[middle] < position)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
};

/// Sums of each thread's own rows over the important tokens of one step, kept in double from step to step.
template <typename Products, bool received> __device__ inline void add_flow(const AttentionShape& shape,
    const float (&products)[own], const float* own_values, const float* other_values, const std::int32_t* other_tokens,
    int first_token, double (&sums)[Products::slots])
{
    const unsigned window = window_of(shape);
    float step[Products::slots] = {};
#pragma unroll
    for (int at = 0; at < own; ++at) {
        const int row = Products::row_of(at);
        const int column = Products::column_of(at);
        const int other = other_tokens[column]; // -1: none
        const int token = first_token + row;
        const int gap = received ? other - token : token - other;
        const bool seen = other >= 0 && gap > 0 && static_cast<unsigned>(gap) < window;
        const float bias = received ? own_values[row] : other_values[column];
        const float lse = received ? other_values[column] : own_values[row];
        step[Products::slot_of(at)] += seen ? probability(shape, products[at], bias, lse) : 0.0F;
    }
#pragma unroll
    for (int slot = 0; slot < Products::slots; ++slot)
        sums[slot] += static_cast<double>(step[slot]);
}

/// A block owns 64 tokens of one head, as keys (received) or as queries, and walks over the important tokens that read
/// them, or that they read. out (heads of the range, context).
template <typename Products, bool received> __global__ void __launch_bounds__(threads)
    sum_flow(const __grid_constant__ HeadInputs inputs, Picked picked, double* out)
{
    using Element = typename Products::Element;
    extern __shared__ __align__(16) unsigned char memory[];
    __shared__ float own_values[tile]; // bias of the keys, or lse of the queries
    __shared__ float other_values[tile]; // the other one
    __shared__ std::int32_t other_tokens[tile];
    const AttentionShape& shape = inputs.all.shape;
    const int64_t head = inputs.first_head + static_cast<int64_t>(blockIdx.y);
    const int context = static_cast<int>(shape.keys);
    const int first_token = static_cast<int>(gridDim.x - 1 - blockIdx.x) * tile;
    const int end_token = min(first_token + tile, context);
    const int thread = static_cast<int>(threadIdx.x);
    const int64_t window = window_of(shape);
    const int begin = picked.before(received ? first_token + 1 : first_token - window + 1);
    const int end = picked.before(received ? end_token - 1 + window : end_token - 1);
    const float* lse = lse_of(inputs.all, head);
    Rows queries = queries_of<Element>(inputs.all, head);
    Rows keys = keys_of<Element>(inputs.all, head);
    (received ? queries : keys).picked = picked.tokens;
    const Products products(
        shape.head_dim, received ? keys : queries, first_token, end_token, received ? queries : keys, memory);
    products.fetch(begin, min(begin + tile, end));
    if (first_token + thread < end_token && thread < tile)
        own_values[thread] = received ? bias_of(inputs.all, head, first_token + thread) : lse[first_token + thread];
    double sums[Products::slots] = {};
    for (int at = begin; at < end; at += tile) {
        const int step_end = min(at + tile, end);
        float scores[own];
        products.multiply(at, step_end, scores); // after it nobody reads the last step's values any more
        if (thread < tile) {
            const int token = at + thread < step_end ? picked.tokens[at + thread] : -1;
            other_tokens[thread] = token;
            other_values[thread] = token < 0 ? 0.0F : received ? lse[token] : bias_of(inputs.all, head, token);
        }
        __syncthreads();
        products.fetch(at + tile, min(at + 2 * tile, end));
        add_flow<Products, received>(shape, scores, own_values, other_values, other_tokens, first_token, sums);
    }
    mma::wait_for_copies(); // where nobody is important
#pragma unroll
    for (int slot = 0; slot < Products::slots; ++slot) {
#pragma unroll
        for (int lanes = 1; lanes < Products::row_lanes; lanes *= 2)
            sums[slot] += __shfl_xor_sync(0xffffffffU, sums[slot], lanes);
        const int token = first_token + Products::row_of(Products::product_of(slot));
        if (thread % Products::row_lanes == 0 && token < end_token)
            out[static_cast<int64_t>(blockIdx.y) * context + token] = sums[slot];
    }
}

/// A block adds P of 64 queries and 64 keys, head after head in their order, to sums (queries of the range, context).
template <typename Products> __global__ void __launch_bounds__(threads)
    add_tile(const __grid_constant__ HeadInputs inputs, QueryRange range, float* sums)
{
    using Element = typename Products::Element;
    extern __shared__ __align__(16) unsigned char memory[];
    const AttentionShape& shape = inputs.all.shape;
    const int first_query = static_cast<int>(range.begin) + static_cast<int>(blockIdx.y) * tile;
    const int end_query = min(first_query + tile, static_cast<int>(range.end));
    const int first_key = static_cast<int>(blockIdx.x) * tile;
    const int end_key = min(first_key + tile, static_cast<int>(shape.keys));
    const unsigned window = window_of(shape);
    if (first_key >= end_query || first_query - end_key + 1 >= static_cast<int>(window))
        return;
    const auto seen = [&](int query, int key) {
        return query < end_query && key < end_key && static_cast<unsigned>(query - key) < window;
    };
    float total[own];
#pragma unroll
    for (int at = 0; at < own; ++at) {
        const int query = first_query + Products::row_of(at);
        const int key = first_key + Products::column_of(at);
        total[at] = seen(query, key) ? sums[(query - range.begin) * shape.keys + key] : 0.0F;
    }
    for (int64_t head = inputs.first_head; head < inputs.end_head; ++head) {
        __syncthreads(); // nobody reads the last head's rows any more
        const Products products(shape.head_dim, queries_of<Element>(inputs.all, head), first_query, end_query,
            keys_of<Element>(inputs.all, head), memory);
        products.fetch(first_key, end_key);
        float scores[own];
        products.multiply(first_key, end_key, scores);
#pragma unroll
        for (int at = 0; at < own; ++at) {
            const int query = first_query + Products::row_of(at);
            const int key = first_key + Products::column_of(at);
            if (seen(query, key))
                total[at]
                    += probability(shape, scores[at], bias_of(inputs.all, head, key), lse_of(inputs.all, head)[query]);
        }
    }
#pragma unroll
    for (int at = 0; at < own; ++at) {
        const int query = first_query + Products::row_of(at);
        const int key = first_key + Products::column_of(at);
        if (seen(query, key))
            sums[(query - range.begin) * shape.keys + key] = total[at];
    }
}

} // namespace keepset::kernels::tiles
