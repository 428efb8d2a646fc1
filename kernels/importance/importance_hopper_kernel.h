#pragma once

#include "kernels/importance/importance_hopper_producer.h"

#include <type_traits>

/// The column sums' kernel for sm_90a. A producer warp copies tiles of queries, and -log2(e)·lse of each, into a ring
/// in shared memory; consumer warpgroups hold 64 keys each in registers, multiply (keys, queries) and sum
/// 2^(scale·log2(e)·q·k - log2(e)·lse) over the queries, float within a tile and double over tiles. A block goes
/// through works (keys of a head): the producer takes the next one that no block has, and copies its keys while the
/// consumers are at the one before. Who does a work does not change its sums.
namespace keepset::kernels::hopper {

template <typename Pair> __device__ Pair zero_pair()
{
    const std::uint32_t bits = 0;
    return *reinterpret_cast<const Pair*>(&bits);
}

__device__ inline float2 pair_to_floats(__half2 pair) { return __half22float2(pair); }
__device__ inline float2 pair_to_floats(__nv_bfloat162 pair) { return __bfloat1622float2(pair); }

/// A tile's place: what its element (row, column) says about the mask.
struct Place {
    int offset; ///< query position of column 0 - key of row 0
    unsigned window; ///< or what is larger than any distance
};

template <typename P, bool masked> __device__ void add_tile(const float (&scores)[P::scores], const float* lse,
    float scale, const Place& place, int row, int column, float (&sums)[4])
{
#pragma unroll
    for (int eight = 0; eight < P::queries / 8; ++eight) {
        const float2 less = *reinterpret_cast<const float2*>(lse + eight * 8 + column);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int at = eight * 4 + i;
            float x = fmaf(scores[at], scale, i % 2 == 0 ? less.x : less.y);
            if constexpr (masked) {
                const int before = place.offset + eight * 8 + column + i % 2 - row - i / 2 * 8;
                x = static_cast<unsigned>(before) < place.window ? x : -INFINITY;
            }
            sums[i] += power_of_two(x);
        }
    }
}

template <typename P, typename T> struct Consumer {
    const Launch& launch;
    const Work& work;
    const Shared<P>& shared;
    std::uint32_t keys[P::head_dim / 16][4]; // (products, a thread's part of 64 keys)
    double totals[2] = {};
    int row; ///< of the first of the two keys of this thread
    int column; ///< of the first of the two queries of every 8
    int group_key; ///< first key of the warpgroup
    float scale;
    bool poisoned[2] = {};

    __device__ Consumer(const Launch& launch_, const Work& work_, const Shared<P>& shared_)
        : launch(launch_)
        , work(work_)
        , shared(shared_)
    {
        const int thread = static_cast<int>(threadIdx.x) % 128;
        row = thread / 32 * 16 + thread % 32 / 4;
        column = thread % 4 * 2;
        group_key = work.first_key + (static_cast<int>(threadIdx.x) / 128 - 1) * group_keys;
        scale = launch.shape.scale * log2_e;
        load_keys();
    }

    /// To registers, from rows of 8 chunks of 16 bytes: the copy engine puts chunk c of row r at c ^ r % 8.
    __device__ void load_keys()
    {
        using Pair = std::conditional_t<std::is_same_v<T, __half>, __half2, __nv_bfloat162>;
        const Pair zeros = zero_pair<Pair>();
        const int first = (static_cast<int>(threadIdx.x) / 128 - 1) * group_keys;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int at = first + row + half * 8;
            Pair not_finite = zeros; // NaN once a key's element was infinite or NaN
#pragma unroll
            for (int chunk = 0; chunk < P::head_dim / 8; ++chunk) {
                const unsigned char* panel = shared.keys + chunk / 8 * P::key_panel_bytes + at * swizzled * 2;
                const auto word
                    = *reinterpret_cast<const std::uint32_t*>(panel + (chunk % 8 ^ at % 8) * 16 + column * 2);
                keys[chunk / 2][half + chunk % 2 * 2] = word;
                not_finite = __hfma2(*reinterpret_cast<const Pair*>(&word), zeros, not_finite);
            }
            const float2 both = pair_to_floats(not_finite);
            const unsigned lanes = __ballot_sync(0xffffffffU, isnan(both.x + both.y));
            poisoned[half] = (lanes >> threadIdx.x % 32 / 4 * 4 & 0xfU) != 0; // 4 lanes have a key
        }
    }

    __device__ int query_of(int step) const { return work.first_query + step * P::queries; }

    /// Steps in which some query sees some key of the warpgroup.
    __device__ void own_steps(int& begin, int& end) const
    {
        const auto base = static_cast<int>(launch.shape.query_begin) + work.first_query;
        begin = max(work.begin_step, (group_key - base) / P::queries);
        end = work.end_step;
        if (launch.shape.window > 0) {
            // A window may be near 2^31: in 64 bits no position overflows.
            const std::int64_t last = group_key + group_keys - 1 + launch.shape.window - base;
            const std::int64_t window_end = (last + P::queries - 1) / P::queries;
            end = window_end < end ? max(begin, static_cast<int>(window_end)) : end;
        }
        if (group_key >= launch.end_key)
            begin = end;
        begin = min(begin, end);
    }

    __device__ void release(int step) const
    {
        __syncwarp();
        if (threadIdx.x % 32 == 0)
            arrive(shared.empty[turn_of(work, step) % P::stages]);
    }

    __device__ void arrived(int step) const
    {
        const int turn = turn_of(work, step);
        wait(shared.full[turn % P::stages], turn / P::stages % 2);
    }

    __device__ void multiply(float (&scores)[P::scores], int step)
    {
        arrived(step);
        const int stage = turn_of(work, step) % P::stages;
        begin_products();
#pragma unroll
        for (int at = 0; at < P::head_dim / 16; ++at)
            product<T>(scores, keys[at], swizzled_rows(shared.panel(stage, at / 4)) + at % 4 * 2, at > 0);
        commit_products();
    }

    __device__ void add(float (&scores)[P::scores], int step)
    {
#pragma unroll
        for (int at = 0; at < P::scores; ++at)
            asm volatile("" : "+f"(scores[at])::"memory");
        const AttentionShape& shape = launch.shape;
        const int position = static_cast<int>(shape.query_begin) + query_of(step);
        const Place place { position - group_key,
            shape.window == 0 ? 0x80000000U : static_cast<unsigned>(shape.window) };
        const float* lse = shared.lse + turn_of(work, step) % P::stages * P::queries;
        float sums[4] = {};
        const bool all_see
            = place.offset >= group_keys - 1 && static_cast<unsigned>(place.offset + P::queries - 1) < place.window;
        if (all_see)
            add_tile<P, false>(scores, lse, scale, place, row, column, sums);
        else
            add_tile<P, true>(scores, lse, scale, place, row, column, sums);
        totals[0] += static_cast<double>(sums[0] + sums[1]);
        totals[1] += static_cast<double>(sums[2] + sums[3]);
        release(step);
    }

    __device__ void walk()
    {
        int begin;
        int end;
        own_steps(begin, end);
        for (int step = work.begin_step; step < begin; ++step)
            skip(step);
        float scores[P::scores];
        for (int step = begin; step < end; ++step) {
            multiply(scores, step);
            wait_products<0>();
            add(scores, step);
        }
        for (int step = end; step < work.end_step; ++step)
            skip(step);
    }

    __device__ void skip(int step) const
    {
        arrived(step);
        release(step);
    }

    __device__ void store()
    {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            for (int lanes = 1; lanes < 4; lanes *= 2)
                totals[half] += __shfl_xor_sync(0xffffffffU, totals[half], lanes);
            const int key = group_key + row + half * 8;
            if (column != 0 || key >= launch.end_key)
                continue;
            const float total = poisoned[half] ? nanf("") : static_cast<float>(totals[half]);
            const AttentionShape& shape = launch.shape;
            if (launch.partial != nullptr)
                launch.partial[(work.part * shape.heads + work.head) * shape.keys + key] = total;
            else // not read and written, which would wait; no other work of this launch adds here
                atomicAdd(launch.sums + work.head * sum_stride(shape) + key, total);
        }
    }
};

template <typename P, typename T> __global__ void __launch_bounds__(P::threads, 1) column_sums(
    const Launch launch, const __grid_constant__ CUtensorMap q_map, const __grid_constant__ CUtensorMap k_map)
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL // sm_90a; the host launches it nowhere else
    extern __shared__ unsigned char memory[];
    const Shared<P> shared(memory);
    if (threadIdx.x == 0) {
        for (int stage = 0; stage < P::stages; ++stage) {
            init_barrier(shared.full[stage], 33); // the queries' copy, and each lane's log-sum-exps
            init_barrier(shared.empty[stage], P::groups * 4); // consumer warps
        }
        init_barrier(*shared.keys_full, 1);
        init_barrier(*shared.keys_empty, P::groups * 128); // consumer threads
        fence_barriers();
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        give_registers<P::producer_registers>();
        if (threadIdx.x < 32)
            Producer<P> { launch, q_map, k_map, shared }.run();
    } else {
        take_registers<P::consumer_registers>();
        for (int round = 0;; ++round) {
            wait(*shared.keys_full, round % 2);
            const Work work = *shared.work;
            if (work.head < 0)
                break;
            Consumer<P, T> consumer(launch, work, shared);
            arrive(*shared.keys_empty);
            consumer.walk();
            consumer.store();
        }
    }
#endif
}

} // namespace keepset::kernels::hopper
