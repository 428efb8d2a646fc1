#pragma once

#include "kernels/hopper.h"
#include "kernels/shapes.h"

#include <cuda.h>

#include <type_traits>

/// The column sums' kernel for sm_90a. A producer warp copies tiles of queries, and -log2(e)·lse of each, into a ring
/// in shared memory; consumer warpgroups hold 64 keys each in registers, multiply (keys, queries) and sum
/// 2^(scale·log2(e)·q·k - log2(e)·lse) over the queries, float within a tile and double over tiles. A block goes
/// through works (keys of a head): the producer takes the next one that no block has, and copies its keys while the
/// consumers are at the one before. Who does a work does not change its sums.
namespace keepset::kernels::hopper {

constexpr int swizzled = 64; // 16-bit dims in a row of shared memory
constexpr int group_keys = 64; // keys of a consumer warpgroup
constexpr float log2_e = 1.4426950408889634F;

/// How a head_dim is cut. `groups` consumer warpgroups keep 64 keys each in registers, and all of them read the
/// same tiles of `queries` queries, of which `stages` are in shared memory.
template <int head_dim_, int groups_, int queries_, int stages_> struct Plan {
    static constexpr int head_dim = head_dim_;
    static constexpr int groups = groups_;
    static constexpr int queries = queries_;
    static constexpr int stages = stages_;
    static constexpr int keys = groups * group_keys;
    static constexpr int threads = (groups + 1) * 128;
    static constexpr int panels = (head_dim + swizzled - 1) / swizzled;
    static constexpr int panel_bytes = queries * swizzled * 2;
    static constexpr int key_panel_bytes = keys * swizzled * 2;
    static constexpr int scores = queries / 2; ///< of a thread and tile
    // Together what the block starts with: 128 of each of 512 threads, 96 of 640.
    static constexpr int consumer_registers = groups == 3 ? 152 : 112;
    static constexpr int producer_registers = groups == 3 ? 56 : 32;
    static_assert(groups == 3 || groups == 4);
    static constexpr int shared_bytes
        = stages * (panels * panel_bytes + queries * 4 + 16) + panels * key_panel_bytes + 64 + 1024;
};

struct Launch {
    AttentionShape shape;
    const float* row_lse;
    float* sums;
    float* partial; ///< (parts, heads, keys), or nullptr: add to the sums
    std::int64_t first_key;
    std::int64_t end_key;
    int heads_together; ///< heads whose queries stay in the second-level cache together
    int blocks; ///< of keys, a head
    int parts; ///< of a work's queries
    int works; ///< blocks · heads · parts
    unsigned* taken; ///< works that blocks took beyond their first: 0 at the start
};

/// What a block does at a time: keys from first_key of one head, against steps of queries.
struct Work {
    int head; ///< < 0: there is no more
    int part;
    int first_key;
    int first_query;
    int begin_step;
    int end_step;
    int first_turn; ///< of the ring: what the block did before
};

template <typename P> struct Shared {
    unsigned char* q; ///< stages × panels × (queries, 64), swizzled
    unsigned char* keys; ///< panels × (keys, 64), swizzled
    float* lse; ///< (stages, queries): -log2(e)·lse
    std::uint64_t* full;
    std::uint64_t* empty;
    std::uint64_t* keys_full; ///< and the work they belong to
    std::uint64_t* keys_empty;
    Work* work;

    __device__ explicit Shared(unsigned char* memory)
    {
        memory += (1024 - shared_address(memory) % 1024) % 1024;
        q = memory;
        keys = q + P::stages * P::panels * P::panel_bytes;
        lse = reinterpret_cast<float*>(keys + P::panels * P::key_panel_bytes);
        full = reinterpret_cast<std::uint64_t*>(lse + P::stages * P::queries);
        empty = full + P::stages;
        keys_full = empty + P::stages;
        keys_empty = keys_full + 1;
        work = reinterpret_cast<Work*>(keys_empty + 1);
    }
    __device__ unsigned char* panel(int stage, int at) const { return q + (stage * P::panels + at) * P::panel_bytes; }
};

__device__ inline int turn_of(const Work& work, int step) { return work.first_turn + step - work.begin_step; }

template <typename P> __device__ Work work_of(const Launch& launch, int index, int first_turn)
{
    Work work;
    work.part = index % launch.parts;
    index /= launch.parts;
    const int together = launch.heads_together;
    const int set = index / (launch.blocks * together);
    const int inside = index % (launch.blocks * together);
    const int heads = min(together, static_cast<int>(launch.shape.heads) - set * together);
    // The first keys have most queries: the long works of a set of heads come first.
    work.head = set * together + inside % heads;
    work.first_key = static_cast<int>(launch.first_key) + inside / heads * P::keys;
    work.first_query = max(0, work.first_key - static_cast<int>(launch.shape.query_begin));
    const int last_key = min(work.first_key + P::keys, static_cast<int>(launch.end_key)) - 1;
    const int end_query = static_cast<int>(end_query_of(launch.shape, last_key));
    const int steps = max(0, (end_query - work.first_query + P::queries - 1) / P::queries);
    work.begin_step = steps * work.part / launch.parts;
    work.end_step = steps * (work.part + 1) / launch.parts;
    work.first_turn = first_turn;
    return work;
}

/// What the producer warp does.
template <typename P> struct Producer {
    const Launch& launch;
    const CUtensorMap& q_map;
    const CUtensorMap& k_map;
    const Shared<P>& shared;
    static constexpr int each = P::queries / 32; ///< log-sum-exps of a lane
    int lane = static_cast<int>(threadIdx.x) % 32;

    __device__ void run() const
    {
        auto index = static_cast<int>(blockIdx.x);
        int turn = 0;
        for (int round = 0; index < launch.works; ++round) {
            const Work work = work_of<P>(launch, index, turn);
            turn += work.end_step - work.begin_step;
            hand_out(work, round);
            copy_queries(work);
            unsigned next = 0; // not before here: who asks first gets the longer work, and should be who ends first
            if (lane == 0)
                next = gridDim.x + atomicAdd(launch.taken, 1U);
            index = static_cast<int>(__shfl_sync(0xffffffffU, next, 0));
            if (index >= launch.works)
                hand_out({ -1 }, round + 1);
        }
    }

    /// The work and its keys to the consumers, when they have read those before.
    __device__ void hand_out(const Work& work, int round) const
    {
        wait(*shared.keys_empty, 1 - round % 2);
        if (lane != 0)
            return;
        *shared.work = work;
        if (work.head < 0) {
            arrive(*shared.keys_full);
            return;
        }
        const auto group = static_cast<int>(launch.shape.heads / launch.shape.kv_heads);
        arrive_and_expect(*shared.keys_full, P::panels * P::key_panel_bytes);
        for (int at = 0; at < P::panels; ++at)
            copy_box(shared.keys + at * P::key_panel_bytes, &k_map, *shared.keys_full, at * swizzled, work.first_key,
                work.head / group);
    }

    __device__ void copy_queries(const Work& work) const
    {
        float next[each];
        load_lse(work, work.begin_step, next);
        for (int step = work.begin_step; step < work.end_step; ++step) {
            const int turn = turn_of(work, step);
            const int stage = turn % P::stages;
            wait(shared.empty[stage], 1 - turn / P::stages % 2);
            if (lane == 0) {
                arrive_and_expect(shared.full[stage], P::panels * P::panel_bytes);
                for (int at = 0; at < P::panels; ++at)
                    copy_box(shared.panel(stage, at), &q_map, shared.full[stage], at * swizzled,
                        work.first_query + step * P::queries, work.head);
            }
            for (int i = 0; i < each; ++i)
                shared.lse[stage * P::queries + i * 32 + lane] = next[i];
            arrive(shared.full[stage]);
            load_lse(work, step + 1, next);
        }
    }

    /// -log2(e)·lse of a step's queries; -inf, and so shares of 0, beyond the last; NaN where it is not finite, so that
    /// it hides nowhere.
    __device__ void load_lse(const Work& work, int step, float (&values)[each]) const
    {
        const auto queries = static_cast<int>(launch.shape.queries);
        const float* lse = launch.row_lse + work.head * lse_stride(launch.shape);
        for (int i = 0; i < each; ++i) {
            const int query = work.first_query + step * P::queries + i * 32 + lane;
            const float value = query < queries ? __ldg(lse + query) : 0.0F;
            values[i] = query >= queries ? -INFINITY : isfinite(value) ? -log2_e * value : nanf("");
        }
    }
};

__device__ float exp2_fast(float x)
{
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

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
            sums[i] += exp2_fast(x);
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
            const int last = group_key + group_keys - 1 + static_cast<int>(launch.shape.window) - base;
            end = min(end, max(begin, (last + P::queries - 1) / P::queries));
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
