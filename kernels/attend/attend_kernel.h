#pragma once

// Device code of attend.cu: one pass over the keys with a running maximum and sum a row. A warp has 16 queries a block
// of rows; scores come out as rows of queries and go into the second product without leaving the registers.

#include "kernels/attend/attend.h"
#include "kernels/mma.h"
#include "kernels/score_rule.h"

namespace keepset::kernels::attend {

constexpr int warp = 32;
constexpr int warps = 4;
constexpr int threads = warps * warp;
constexpr float minus_infinity = -INFINITY;

template <typename Element_, int head_dim_, int row_blocks_, int keys_, bool plain_> struct Tile {
    using Element = Element_;
    static constexpr int head_dim = head_dim_; // what is smaller is filled up with zeros
    static constexpr int row_blocks = row_blocks_; // of 16 queries a warp
    static constexpr int keys = keys_; // in shared memory at a time
    static constexpr bool plain = plain_; // no cap, no bias
    static constexpr int queries = warps * row_blocks * 16;
    static constexpr int dim_steps = head_dim / 16;
    static constexpr int row_bytes = head_dim * 2 + 16; // an odd number of 16 bytes: no bank conflicts
    static constexpr int shared_bytes = (queries + 2 * keys) * row_bytes + 2 * keys * static_cast<int>(sizeof(int));
};

/// tanh by the hardware's exponential, off by 1e-7 at most: scores are capped by the million.
struct CapMath {
    static __device__ __forceinline__ float tanh(float x)
    {
        const float power = power_of_two(fabsf(x) * (-2 * log2_e));
        return copysignf(__fdividef(1 - power, 1 + power), x);
    }
};

/// The keys of one (sample, kv head), and where they stand.
struct Keys {
    int64_t first = 0; // packed row of key 0
    int count = 0;
    int kept = 0; // of them, those at `positions`
    const int32_t* positions = nullptr;
    int first_query = 0; // position of query 0, and of the first own key

    __device__ int position(int key) const
    {
        if (positions == nullptr)
            return key;
        return key < kept ? positions[key] : first_query + key - kept;
    }
    /// The first key at `position` or behind it.
    __device__ int at_or_behind(int position_) const
    {
        if (positions == nullptr)
            return min(max(position_, 0), count);
        if (position_ >= first_query)
            return min(kept + position_ - first_query, count);
        int low = 0;
        int high = kept;
        while (low < high) {
            const int middle = (low + high) / 2;
            if (positions[middle] < position_)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
};

__device__ inline Keys keys_of(const AttendInputs& inputs, int sample, int kv_head)
{
    Keys keys;
    keys.first_query = inputs.first_query == nullptr ? 0 : inputs.first_query[sample];
    if (inputs.ends == nullptr) {
        keys.count = static_cast<int>(inputs.keys);
        return keys;
    }
    const int row = sample * static_cast<int>(inputs.kv_heads) + kv_head;
    keys.first = inputs.side_by_side
        ? inputs.ends[sample * static_cast<int>(inputs.kv_heads)] / static_cast<int>(inputs.kv_heads)
        : inputs.ends[row];
    keys.count = inputs.ends[row + 1] - inputs.ends[row];
    keys.kept = keys.count - static_cast<int>(inputs.queries);
    if (inputs.positions != nullptr)
        keys.positions = inputs.positions + inputs.starts[sample * inputs.starts_stride + kv_head];
    return keys;
}

/// Queues rows [first, first + count) of `from` to shared memory, zeros beyond `end` and beyond head_dim.
template <typename T> __device__ inline void copy_rows(
    const void* from, int64_t stride, int first, int end, int count, int head_dim, uint32_t to)
{
    constexpr int copies = T::head_dim / 8; // of 16 bytes a row
    const auto* data = static_cast<const typename T::Element*>(from);
    for (int at = static_cast<int>(threadIdx.x); at < count * copies; at += threads) {
        const int row = at / copies;
        const int dim = at % copies * 8;
        const bool real = first + row < end && dim < head_dim;
        mma::copy_async(to + row * T::row_bytes + dim * 2, real ? data + (first + row) * stride + dim : data, real);
    }
}

template <typename Element> __device__ inline uint32_t pair_of(float low, float high)
{
    if constexpr (std::is_same_v<Element, __half>) {
        const __half2 pair = __floats2half2_rn(low, high);
        return reinterpret_cast<const uint32_t&>(pair);
    } else {
        const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
        return reinterpret_cast<const uint32_t&>(pair);
    }
}

/// One block of queries: its output so far, and maximum and sum of its rows, lane / 4 and 8 below.
template <typename T> struct Rows {
    float output[T::row_blocks][T::head_dim / 8][4] = {};
    float largest[T::row_blocks][2];
    float sum[T::row_blocks][2] = {};
};

template <typename T> using Scores = float[T::row_blocks][T::keys / 8][4];

/// scores = queries · keys^T of the tiles in shared memory.
template <typename T> __device__ inline void multiply_keys(uint32_t queries, uint32_t keys, Scores<T>& scores)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const uint32_t row = queries
        + (static_cast<int>(threadIdx.x) / warp * T::row_blocks * 16 + lane % 16) * T::row_bytes + lane / 16 * 16;
    const uint32_t column = keys + (lane % 8 + lane / 16 * 8) * T::row_bytes + lane / 8 % 2 * 16;
#pragma unroll
    for (int block = 0; block < T::row_blocks; ++block) {
#pragma unroll
        for (int key = 0; key < T::keys / 8; ++key) {
            for (float& score : scores[block][key])
                score = 0;
        }
    }
#pragma unroll
    for (int step = 0; step < T::dim_steps; ++step) {
        uint32_t rows[T::row_blocks][4];
#pragma unroll
        for (int block = 0; block < T::row_blocks; ++block)
            mma::load_matrices(rows[block], row + block * 16 * T::row_bytes + step * 32);
#pragma unroll
        for (int pair = 0; pair < T::keys / 8; pair += 2) {
            uint32_t columns[4];
            mma::load_matrices(columns, column + pair * 8 * T::row_bytes + step * 32);
#pragma unroll
            for (int block = 0; block < T::row_blocks; ++block) {
                mma::multiply_add<typename T::Element>(scores[block][pair], rows[block], columns[0], columns[1]);
                mma::multiply_add<typename T::Element>(scores[block][pair + 1], rows[block], columns[2], columns[3]);
            }
        }
    }
}

/// output += probabilities · values of the tile in shared memory.
template <typename T> __device__ inline void multiply_values(const Scores<T>& scores, uint32_t values, Rows<T>& rows)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const uint32_t column = values + lane % 16 * T::row_bytes + lane / 16 * 16;
#pragma unroll
    for (int step = 0; step < T::keys / 16; ++step) {
        uint32_t weights[T::row_blocks][4];
#pragma unroll
        for (int block = 0; block < T::row_blocks; ++block) {
            for (int part = 0; part < 4; ++part) {
                const float* const two = &scores[block][step * 2 + part / 2][part % 2 * 2];
                weights[block][part] = pair_of<typename T::Element>(two[0], two[1]);
            }
        }
#pragma unroll
        for (int dim = 0; dim < T::head_dim / 8; dim += 2) {
            uint32_t columns[4];
            mma::load_transposed(columns, column + step * 16 * T::row_bytes + dim * 16);
#pragma unroll
            for (int block = 0; block < T::row_blocks; ++block) {
                mma::multiply_add<typename T::Element>(rows.output[block][dim], weights[block], columns[0], columns[1]);
                mma::multiply_add<typename T::Element>(
                    rows.output[block][dim + 1], weights[block], columns[2], columns[3]);
            }
        }
    }
}

/// Scores of a tile to powers of two, -inf where a key is not seen. positions (keys): of the tile; `first`: position of
/// the warp's first query.
template <typename T, bool masked> __device__ inline void apply_rule(
    const AttendInputs& inputs, const int* positions, const float* bias, int first, unsigned window, Scores<T>& scores)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const float factor = score_factor(inputs.scale, inputs.softcap);
#pragma unroll
    for (int key = 0; key < T::keys / 8; ++key) {
        const int2 at = reinterpret_cast<const int2*>(positions)[key * 4 + lane % 4];
        float added[2] = { 0, 0 };
        if constexpr (!T::plain) {
            if (bias != nullptr) {
                added[0] = at.x == INT32_MAX ? 0 : bias[at.x];
                added[1] = at.y == INT32_MAX ? 0 : bias[at.y];
            }
        }
#pragma unroll
        for (int block = 0; block < T::row_blocks; ++block) {
#pragma unroll
            for (int element = 0; element < 4; ++element) {
                float& score = scores[block][key][element];
                score *= factor;
                if constexpr (!T::plain)
                    score = capped<CapMath>(score, inputs.softcap) + added[element % 2];
                score *= log2_e;
                if constexpr (masked) {
                    const int behind
                        = first + block * 16 + lane / 4 + element / 2 * 8 - (element % 2 == 0 ? at.x : at.y);
                    score = static_cast<unsigned>(behind) < window ? score : minus_infinity;
                }
            }
        }
    }
}

/// Scores become probabilities relative to the largest so far, to which what was summed before is scaled.
template <typename T> __device__ inline void take_scores(Scores<T>& scores, Rows<T>& rows)
{
#pragma unroll
    for (int block = 0; block < T::row_blocks; ++block) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float largest = rows.largest[block][half];
#pragma unroll
            for (int key = 0; key < T::keys / 8; ++key)
                largest = fmaxf(largest, fmaxf(scores[block][key][half * 2], scores[block][key][half * 2 + 1]));
            largest = fmaxf(largest, __shfl_xor_sync(0xffffffffU, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(0xffffffffU, largest, 2));
            const float base = largest == minus_infinity ? 0 : largest; // nothing seen yet
            const float shrunk = power_of_two(rows.largest[block][half] - base);
            rows.largest[block][half] = largest;
            float sum = rows.sum[block][half] * shrunk;
#pragma unroll
            for (int key = 0; key < T::keys / 8; ++key) {
#pragma unroll
                for (int element = half * 2; element < half * 2 + 2; ++element) {
                    scores[block][key][element] = power_of_two(scores[block][key][element] - base);
                    sum += scores[block][key][element];
                }
            }
            rows.sum[block][half] = sum;
#pragma unroll
            for (int dim = 0; dim < T::head_dim / 8; ++dim) {
                rows.output[block][dim][half * 2] *= shrunk;
                rows.output[block][dim][half * 2 + 1] *= shrunk;
            }
        }
    }
}

template <typename T> __device__ inline void write_rows(
    const AttendInputs& inputs, int sample, int head, int first, Rows<T>& rows, void* output, float* row_lse)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
#pragma unroll
    for (int block = 0; block < T::row_blocks; ++block) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float sum = rows.sum[block][half];
            sum += __shfl_xor_sync(0xffffffffU, sum, 1);
            sum += __shfl_xor_sync(0xffffffffU, sum, 2);
            const int query = first + block * 16 + lane / 4 + half * 8;
            if (query >= inputs.queries)
                continue;
            if (lane % 4 == 0)
                row_lse[(static_cast<int64_t>(sample) * inputs.heads + head) * inputs.queries + query]
                    = (rows.largest[block][half] + log2f(sum)) / log2_e;
            const float inverse = 1 / sum;
            auto* const to = static_cast<typename T::Element*>(output)
                + ((sample * inputs.queries + query) * inputs.heads + head) * inputs.head_dim + lane % 4 * 2;
#pragma unroll
            for (int dim = 0; dim < T::head_dim / 8; ++dim) {
                if (dim * 8 < inputs.head_dim)
                    *reinterpret_cast<uint32_t*>(to + dim * 8) = pair_of<typename T::Element>(
                        rows.output[block][dim][half * 2] * inverse, rows.output[block][dim][half * 2 + 1] * inverse);
            }
        }
    }
}

template <typename T> __global__ void __launch_bounds__(threads)
    attend(const __grid_constant__ AttendInputs inputs, void* output, float* row_lse)
{
    extern __shared__ __align__(16) unsigned char memory[]; // queries, keys, values, then positions of two tiles
    const int thread = static_cast<int>(threadIdx.x);
    const int first = static_cast<int>(gridDim.x - 1 - blockIdx.x) * T::queries; // those with most keys first
    const int head = static_cast<int>(blockIdx.y);
    const int sample = static_cast<int>(blockIdx.z);
    const int kv_head = head / static_cast<int>(inputs.heads / inputs.kv_heads);
    const auto head_dim = static_cast<int>(inputs.head_dim);
    const Keys keys = keys_of(inputs, sample, kv_head);
    const uint32_t query_tile = mma::shared_address(memory);
    const uint32_t key_tile = query_tile + T::queries * T::row_bytes;
    const uint32_t value_tile = key_tile + T::keys * T::row_bytes;
    auto* const places = reinterpret_cast<int*>(memory + (T::queries + 2 * T::keys) * T::row_bytes);
    using Element = typename T::Element;
    const auto* const q = static_cast<const Element*>(inputs.q.data) + offset_in(inputs.q, sample, head, 0);
    const auto* const k = static_cast<const Element*>(inputs.k.data) + offset_in(inputs.k, sample, kv_head, keys.first);
    const auto* const v = static_cast<const Element*>(inputs.v.data) + offset_in(inputs.v, sample, kv_head, keys.first);
    const float* const bias = inputs.key_bias == nullptr ? nullptr : inputs.key_bias + head * inputs.bias_stride;

    const unsigned window
        = inputs.window == 0 || inputs.window > INT32_MAX ? INT32_MAX : static_cast<unsigned>(inputs.window);
    const int first_place = keys.first_query + first;
    const int last_place = keys.first_query + min(first + T::queries, static_cast<int>(inputs.queries)) - 1;
    const int64_t reach = static_cast<int64_t>(first_place) - window + 1;
    const int begin = reach > 0 ? keys.at_or_behind(static_cast<int>(reach)) : 0;
    const int end = keys.at_or_behind(last_place + 1);

    const auto fetch_keys = [&](int tile, int parity) {
        copy_rows<T>(k, inputs.k.token_stride, tile, end, T::keys, head_dim, key_tile);
        for (int key = thread; key < T::keys; key += threads)
            places[parity * T::keys + key] = tile + key < end ? keys.position(tile + key) : INT32_MAX;
    };
    copy_rows<T>(q, inputs.q.token_stride, first, static_cast<int>(inputs.queries), T::queries, head_dim, query_tile);
    fetch_keys(begin, 0);

    Rows<T> rows;
#pragma unroll
    for (int block = 0; block < T::row_blocks; ++block)
        rows.largest[block][0] = rows.largest[block][1] = minus_infinity;
    const int own = thread / warp * T::row_blocks * 16; // first query of the warp in the tile
    int parity = 0;
    for (int tile = begin; tile < end; tile += T::keys, parity ^= 1) {
        mma::wait_for_copies();
        __syncthreads();
        copy_rows<T>(v, inputs.v.token_stride, tile, end, T::keys, head_dim, value_tile);
        Scores<T> scores;
        multiply_keys<T>(query_tile, key_tile, scores);
        mma::wait_for_copies();
        __syncthreads();
        if (tile + T::keys < end)
            fetch_keys(tile + T::keys, parity ^ 1);
        const int* const at = places + parity * T::keys;
        const bool all_seen
            = at[T::keys - 1] <= first_place && static_cast<int64_t>(at[0]) > last_place - static_cast<int64_t>(window);
        if (all_seen)
            apply_rule<T, false>(inputs, at, bias, first_place + own, window, scores);
        else
            apply_rule<T, true>(inputs, at, bias, first_place + own, window, scores);
        take_scores<T>(scores, rows);
        multiply_values<T>(scores, value_tile, rows);
    }
    write_rows<T>(inputs, sample, head, first + own, rows, output, row_lse);
}

} // namespace keepset::kernels::attend
