#pragma once

#include "kernels/hopper.h"
#include "kernels/power_of_two.h"
#include "kernels/shapes.h"

#include <cuda.h>

/// What a block of the column sums' kernel for sm_90a works on, and the warp that brings it there:
/// importance_hopper_kernel.h.
namespace keepset::kernels::hopper {

constexpr int swizzled = 64; // 16-bit dims in a row of shared memory
constexpr int group_keys = 64; // keys of a consumer warpgroup

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
    static constexpr int consumer_registers = groups == 3 ? 160 : 112;
    static constexpr int producer_registers = 32;
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

} // namespace keepset::kernels::hopper
