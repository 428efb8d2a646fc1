#pragma once

// Products of 64 rows with 64 others, shared by the attention map and the bridges: by tensor cores, or in float of any
// element type, head_dim and stride. A block keeps its own rows and walks over the others.

#include "kernels/importance/importance.h"
#include "kernels/mma.h"
#include "kernels/score_rule.h"

#include <cstdint>

namespace keepset::kernels::tiles {

constexpr int tile = 64; // own rows of a block, and other rows of a step
constexpr int threads = 128;
constexpr int own = tile * tile / threads; // products of a thread

/// Rows of q or of k of one head.
struct Rows {
    const void* data = nullptr; // (rows, head_dim)
    int64_t stride = 0; // of a row
    const std::int32_t* picked = nullptr; // which of them count, in which order; nullptr: all
};

__device__ inline int64_t offset_of(const Rows& rows, int row)
{
    return (rows.picked == nullptr ? row : rows.picked[row]) * rows.stride;
}

/// By tensor cores. The rows lie in shared memory, an odd number of 16 bytes apart: no bank conflicts. The next step's
/// are fetched while this one's products are used. head_dim is a multiple of 16.
template <typename Element_> class TensorCores {
public:
    using Element = Element_;
    static constexpr int row_bytes(int64_t head_dim) { return static_cast<int>(head_dim) * 2 + 16; }
    static constexpr int bytes(int64_t head_dim) { return 2 * tile * row_bytes(head_dim); }

    /// Own rows [first, end).
    __device__ TensorCores(
        int64_t head_dim, const Rows& own_rows, int first, int end, const Rows& others, unsigned char* memory)
        : head_dim_(static_cast<int>(head_dim))
        , row_bytes_(row_bytes(head_dim))
        , own_(mma::shared_address(memory))
        , others_(own_ + tile * row_bytes_)
        , other_rows_(others)
    {
        copy(own_rows, first, end, own_);
    }

    /// Queues others [first, end), at most a tile; nobody may be reading the last ones.
    __device__ void fetch(int first, int end) const
    {
        if (first < end)
            copy(other_rows_, first, end, others_);
    }

    /// All threads call it, after fetch of the same rows.
    __device__ void multiply(int /*first*/, int /*end*/, float (&products)[own]) const
    {
        mma::wait_for_copies();
        __syncthreads();
        const int lane = static_cast<int>(threadIdx.x) % 32;
        const int warp = static_cast<int>(threadIdx.x) / 32;
        // Rows of the matrices to load. Own: 0 … 7 and 8 … 15, then the same of dims 8 … 15; others: dims first.
        const uint32_t row = own_ + (warp * 16 + lane % 16) * row_bytes_ + lane / 16 * 16;
        const uint32_t column = others_ + (lane % 8 + lane / 16 * 8) * row_bytes_ + lane / 8 % 2 * 16;
        float(&blocks)[tile / 8][4] = reinterpret_cast<float(&)[tile / 8][4]>(products);
#pragma unroll
        for (float& product : products)
            product = 0;
#pragma unroll 2
        for (int step = 0; step < head_dim_ / 16; ++step) {
            uint32_t rows[4];
            mma::load_matrices(rows, row + step * 32);
#pragma unroll
            for (int pair = 0; pair < tile / 8; pair += 2) {
                uint32_t columns[4];
                mma::load_matrices(columns, column + pair * 8 * row_bytes_ + step * 32);
                mma::multiply_add<Element>(blocks[pair], rows, columns[0], columns[1]);
                mma::multiply_add<Element>(blocks[pair + 1], rows, columns[2], columns[3]);
            }
        }
    }

    /// Own row and other row of a thread's product. A thread has `slots` own rows, which `row_lanes` lanes side by side
    /// share; product_of is the first product of such a row.
    static constexpr int row_lanes = 4;
    static constexpr int slots = 2;
    static constexpr int slot_of(int product) { return product / 2 % 2; }
    static constexpr int product_of(int slot) { return slot * 2; }
    static __device__ int row_of(int product)
    {
        return static_cast<int>(threadIdx.x) / 32 * 16 + static_cast<int>(threadIdx.x) % 32 / 4 + product / 2 % 2 * 8;
    }
    static __device__ int column_of(int product)
    {
        return product / 4 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + product % 2;
    }

private:
    /// Queues rows [first, end), and zeros beyond them.
    __device__ void copy(const Rows& from, int first, int end, uint32_t to) const
    {
        const auto* data = static_cast<const Element*>(from.data);
        const int copies = head_dim_ / 8; // of 16 bytes a row
        for (int at = static_cast<int>(threadIdx.x); at < tile * copies; at += threads) {
            const int row = at / copies;
            const int dim = at % copies * 8;
            const bool real = first + row < end;
            mma::copy_async(
                to + row * row_bytes_ + dim * 2, real ? data + offset_of(from, first + row) + dim : data, real);
        }
    }

    int head_dim_;
    int row_bytes_;
    uint32_t own_;
    uint32_t others_;
    Rows other_rows_;
};

/// In float.
template <typename Element_> class Plain {
public:
    using Element = Element_;
    static constexpr int bytes(int64_t /*head_dim*/) { return 2 * tile * row_floats * static_cast<int>(sizeof(float)); }

    __device__ Plain(
        int64_t head_dim, const Rows& own_rows, int first, int end, const Rows& others, unsigned char* memory)
        : head_dim_(static_cast<int>(head_dim))
        , first_(first)
        , end_(end)
        , own_rows_(own_rows)
        , other_rows_(others)
        , own_(reinterpret_cast<float*>(memory))
        , others_(own_ + tile * row_floats)
    {
    }

    __device__ void fetch(int /*first*/, int /*end*/) const { }

    __device__ void multiply(int first, int end, float (&products)[own]) const
    {
#pragma unroll
        for (float& product : products)
            product = 0;
        for (int dim = 0; dim < head_dim_; dim += chunk) {
            __syncthreads();
            copy(own_rows_, first_, end_, dim, own_);
            copy(other_rows_, first, end, dim, others_);
            __syncthreads();
            const float* row = own_ + row_of(0) * row_floats;
            const float* column = others_ + column_of(0) * row_floats;
#pragma unroll 4
            for (int at = 0; at < chunk; ++at) {
#pragma unroll
                for (int product = 0; product < own; ++product)
                    products[product] = fmaf(row[product / 8 * row_floats + at],
                        column[product % 8 * 8 * row_floats + at], products[product]);
            }
        }
        __syncthreads();
    }

    static constexpr int row_lanes = 8;
    static constexpr int slots = 4;
    static constexpr int slot_of(int product) { return product / 8; }
    static constexpr int product_of(int slot) { return slot * 8; }
    static __device__ int row_of(int product) { return static_cast<int>(threadIdx.x) / 8 * 4 + product / 8; }
    static __device__ int column_of(int product) { return static_cast<int>(threadIdx.x) % 8 + product % 8 * 8; }

private:
    static constexpr int chunk = 32; // dims in shared memory at a time
    static constexpr int row_floats = chunk + 1;

    /// Dims [first_dim, first_dim + chunk) of rows [first, end), zeros beyond the ends.
    __device__ void copy(const Rows& from, int first, int end, int first_dim, float* to) const
    {
        const auto* data = static_cast<const Element*>(from.data);
        const int dim = static_cast<int>(threadIdx.x) % chunk;
        for (int at = static_cast<int>(threadIdx.x) / chunk; at < tile; at += threads / chunk) {
            const bool real = first + at < end && first_dim + dim < head_dim_;
            to[at * row_floats + dim]
                = real ? static_cast<float>(data[offset_of(from, first + at) + first_dim + dim]) : 0.0F;
        }
    }

    int head_dim_;
    int first_;
    int end_;
    Rows own_rows_;
    Rows other_rows_;
    float* own_; // (tile, row_floats)
    float* others_; // (tile, row_floats)
};

/// P of a product.
__device__ inline float probability(const AttentionShape& shape, float product, float bias, float lse)
{
    return probability_of<DeviceMath>(product * score_factor(shape.scale, shape.softcap), shape.softcap, bias, lse);
}

/// A query sees the keys less than this behind it.
__device__ inline unsigned window_of(const AttentionShape& shape)
{
    return shape.window == 0 || shape.window > INT32_MAX ? INT32_MAX : static_cast<unsigned>(shape.window);
}

/// Whether TensorCores takes the rows; `capability` of the device as in DeviceLimits.
inline bool takes_tensor_cores(const ImportanceInputs& inputs, int capability)
{
    const AttentionShape& shape = inputs.shape;
    const auto aligned = [](const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; };
    const std::int64_t head_strides
        = (shape.heads > 1 ? shape.q_head_stride : 0) | (shape.kv_heads > 1 ? shape.k_head_stride : 0);
    return inputs.type != ElementType::float32 && shape.head_dim % 16 == 0 && shape.head_dim <= 256
        && (shape.q_token_stride | shape.k_token_stride | head_strides) % 8 == 0 && aligned(inputs.q)
        && aligned(inputs.k) && capability >= 80;
}

inline constexpr std::int64_t most_positions = 1 << 30; // positions are ints

/// Whether they are small enough for it.
inline bool fit_ints(const AttentionShape& shape)
{
    return shape.queries < most_positions && shape.keys < most_positions && shape.query_begin < most_positions
        && shape.query_begin > -most_positions;
}

} // namespace keepset::kernels::tiles
