#pragma once

// Device code of importance_mma.cu. The scores are made transposed, S^T = K·Q^T: keys are the rows of the accumulators,
// so that a thread keeps the sums of its few keys in registers over the whole walk.

#include "kernels/importance/importance.h"
#include "kernels/mma.h"
#include "kernels/score_rule.h"

#include <cstdint>

namespace keepset::kernels::mma {

constexpr int warp = 32;
constexpr int step_queries = 64; // queries in shared memory at a time
constexpr float no_query = -1e30F; // in the place of -lse: e^(score + no_query) is 0, and it is finite

/// Tile of a kernel: `warps` · `key_blocks` · 16 keys, `chunk_blocks` · 8 queries in the accumulators at a time.
template <typename Element_, int head_dim_, int warps_, int key_blocks_, int chunk_blocks_, int resident_, bool plain_>
struct Tile {
    using Element = Element_;
    static constexpr int head_dim = head_dim_; // what is smaller is filled up with zeros
    static constexpr int warps = warps_;
    static constexpr int key_blocks = key_blocks_;
    static constexpr int chunk_blocks = chunk_blocks_;
    static constexpr int resident = resident_; // thread blocks a multiprocessor
    static constexpr bool plain = plain_; // no cap, no bias
    static constexpr int threads = warps * warp;
    static constexpr int warp_keys = key_blocks * 16;
    static constexpr int keys = warps * warp_keys;
    static constexpr int chunk = chunk_blocks * 8; // queries
    static constexpr int dim_steps = head_dim / 16;
    static constexpr int row_copies = head_dim / 8; // of 16 bytes
    static constexpr int row_bytes = head_dim * 2 + 16; // an odd number of 16 bytes: no bank conflicts
    static constexpr int stage_bytes = step_queries * (row_bytes + static_cast<int>(sizeof(float)));
    static constexpr int shared_bytes = 2 * stage_bytes;
};

/// One sequence of the launch.
struct Span {
    int first_query = 0; // of the packed rows
    int queries = 0;
    int first_key = 0;
    int keys = 0;
    int query_begin = 0;
    int first_block = 0;
};
constexpr int max_spans = 64;

struct Launch {
    AttentionShape shape;
    const void* q = nullptr;
    const void* k = nullptr;
    const float* row_lse = nullptr;
    const float* key_bias = nullptr;
    float* sums = nullptr; // added to, where there is one part
    float* partial = nullptr; // (parts, heads, keys), else
    int parts = 1;
    int spans = 0;
    Span span[max_spans];
};

/// What one thread block does.
struct Work {
    Span span;
    int head = 0;
    int part = 0;
    int first_key = 0; // of the span
    int first_query = 0; // of the span's query steps
    int first_step = 0;
    int end_step = 0;
    unsigned window = 0;
};

/// A head's tiles come in the order of their keys: where nothing but causality hides, the longest first.
template <typename T> __device__ inline Work work_of(const Launch& launch)
{
    Work work;
    const int block = static_cast<int>(blockIdx.x);
    int at = 0;
    while (at + 1 < launch.spans && block >= launch.span[at + 1].first_block)
        ++at;
    work.span = launch.span[at];
    const int heads = static_cast<int>(launch.shape.heads);
    const int own = block - work.span.first_block;
    work.head = own % heads;
    work.part = own / heads % launch.parts;
    work.first_key = own / heads / launch.parts * T::keys;

    const int64_t hidden = launch.shape.window;
    work.window = hidden == 0 || hidden > INT32_MAX ? INT32_MAX : static_cast<unsigned>(hidden);
    const int last_key = min(work.first_key + T::keys, work.span.keys) - 1;
    const int64_t reach = static_cast<int64_t>(last_key) + work.window - work.span.query_begin;
    const int end_query = static_cast<int>(min(static_cast<int64_t>(work.span.queries), reach));
    work.first_query = max(0, work.first_key - work.span.query_begin) / step_queries * step_queries;
    const int steps = max(0, (end_query - work.first_query + step_queries - 1) / step_queries);
    work.first_step = static_cast<int>(static_cast<int64_t>(steps) * work.part / launch.parts);
    work.end_step = static_cast<int>(static_cast<int64_t>(steps) * (work.part + 1) / launch.parts);
    return work;
}

/// Keys of one warp, the A operand: rows lane / 4 and 8 below, dims 2·(lane % 4) and 8 on. Read once, so straight from
/// global memory.
template <typename T> __device__ inline void load_keys(
    const Launch& launch, const Work& work, int first_key, uint32_t (&keys)[T::key_blocks][T::dim_steps][4])
{
    const AttentionShape& shape = launch.shape;
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const auto* head = static_cast<const typename T::Element*>(launch.k)
        + work.head / (shape.heads / shape.kv_heads) * shape.k_head_stride;
    for (int block = 0; block < T::key_blocks; ++block) {
        for (int half = 0; half < 2; ++half) {
            const int key = first_key + block * 16 + half * 8 + lane / 4;
            const auto* row = head + static_cast<int64_t>(work.span.first_key + key) * shape.k_token_stride;
            for (int step = 0; step < T::dim_steps; ++step) {
                const int dim = step * 16 + lane % 4 * 2;
                const bool real = key < work.span.keys && step * 16 < shape.head_dim; // head_dim is a multiple of 16
                keys[block][step][half] = real ? __ldg(reinterpret_cast<const unsigned*>(row + dim)) : 0;
                keys[block][step][half + 2] = real ? __ldg(reinterpret_cast<const unsigned*>(row + dim + 8)) : 0;
            }
        }
    }
}

/// Queues the rows of one query step into a stage.
template <typename T>
__device__ inline void copy_queries(const Launch& launch, const Work& work, int first_query, uint32_t stage)
{
    const AttentionShape& shape = launch.shape;
    const auto* head = static_cast<const typename T::Element*>(launch.q) + work.head * shape.q_head_stride
        + work.span.first_query * shape.q_token_stride;
    for (int at = static_cast<int>(threadIdx.x); at < step_queries * T::row_copies; at += T::threads) {
        const int row = at / T::row_copies;
        const int copy = at % T::row_copies;
        const bool real = first_query + row < work.span.queries && copy * 8 < shape.head_dim;
        const auto* from = head + (first_query + row) * shape.q_token_stride + copy * 8;
        copy_async(stage + row * T::row_bytes + copy * 16, real ? from : head, real);
    }
}

/// What is added to a query's scores: -lse, in powers of two where nothing else is added to them.
template <typename T> __device__ inline float addend_of(const Launch& launch, const Work& work, int query)
{
    if (query >= work.span.queries)
        return no_query;
    const float lse = launch.row_lse[work.head * lse_stride(launch.shape) + work.span.first_query + query];
    return T::plain ? lse * -log2_e : -lse;
}

/// A thread's sums of one key: up to 2 steps in `now`, the others as the unevaluated sum of `high` and `low`. `bad` is
/// 0, and NaN once an exponent was not finite: such a one may not hide as e^-inf = 0.
struct Sum {
    float now = 0;
    float high = 0;
    float low = 0;
    float bad = 0;

    /// Adds `now` with its rounding error kept (Knuth's two-sum), so that long sums do not drift.
    __device__ void flush()
    {
        const float total = high + now;
        const float added = total - high;
        low += (high - (total - added)) + (now - added);
        high = total;
        now = 0;
    }
    __device__ double value() const { return static_cast<double>(high) + static_cast<double>(low + bad); }
};

/// scores (warp's keys, chunk) of the queries whose first row a thread's `queries` address is in.
template <typename T> __device__ inline void multiply(const uint32_t (&keys)[T::key_blocks][T::dim_steps][4],
    uint32_t queries, float (&scores)[T::key_blocks][T::chunk_blocks][4])
{
    for (int block = 0; block < T::key_blocks; ++block) {
        for (int at = 0; at < T::chunk_blocks; ++at) {
            for (float& score : scores[block][at])
                score = 0;
        }
    }
#pragma unroll
    for (int step = 0; step < T::dim_steps; ++step) {
#pragma unroll
        for (int pair = 0; pair < T::chunk_blocks; pair += 2) {
            uint32_t rows[4];
            load_matrices(rows, queries + pair * 8 * T::row_bytes + step * 32);
#pragma unroll
            for (int block = 0; block < T::key_blocks; ++block) {
                multiply_add<typename T::Element>(scores[block][pair], keys[block][step], rows[0], rows[1]);
                multiply_add<typename T::Element>(scores[block][pair + 1], keys[block][step], rows[2], rows[3]);
            }
        }
    }
}

/// The rule of a score, and which pairs are seen: query c of the chunk stands `before` + c - r behind key r of the
/// warp.
template <typename T> struct Rule {
    float scale = 0; // score_factor; plain: to powers of two
    float softcap = 0;
    float bias[T::key_blocks][2] = {};
    unsigned window = 0;
};

/// Adds the chunk's probabilities. addends (chunk): of the chunk's queries.
template <typename T, bool masked>
__device__ inline void add_probabilities(const float (&scores)[T::key_blocks][T::chunk_blocks][4], const float* addends,
    const Rule<T>& rule, int before, Sum (&sums)[T::key_blocks][2])
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const int first = before + lane % 4 * 2 - lane / 4;
#pragma unroll
    for (int at = 0; at < T::chunk_blocks; ++at) {
        const float2 addend = reinterpret_cast<const float2*>(addends)[at * 4 + lane % 4];
#pragma unroll
        for (int block = 0; block < T::key_blocks; ++block) {
#pragma unroll
            for (int element = 0; element < 4; ++element) {
                Sum& sum = sums[block][element / 2];
                float score = scores[block][at][element];
                const float added = element % 2 == 0 ? addend.x : addend.y;
                bool seen = true;
                if constexpr (masked) {
                    const int gap = first + at * 8 + element % 2 - block * 16 - element / 2 * 8;
                    seen = static_cast<unsigned>(gap) < rule.window;
                }
                float exponent;
                if constexpr (T::plain) {
                    exponent = fmaf(score, rule.scale, added);
                } else {
                    sum.bad = fmaf(seen ? score : 0.0F, 0.0F, sum.bad); // the cap would hide an infinity
                    score = capped<DeviceMath>(score * rule.scale, rule.softcap);
                    exponent = exponent_of(score, rule.bias[block][element / 2], -added) * log2_e;
                }
                exponent = seen ? exponent : no_query;
                sum.bad = fmaf(exponent, 0.0F, sum.bad);
                sum.now += power_of_two(exponent);
            }
        }
    }
}

/// One query step in shared memory, of which query 0 stands `before` behind key 0 of the warp.
template <typename T> __device__ inline void add_step(const uint32_t (&keys)[T::key_blocks][T::dim_steps][4],
    uint32_t queries, const float* addends, const Rule<T>& rule, int before, Sum (&sums)[T::key_blocks][2])
{
    const int window = static_cast<int>(rule.window);
    float scores[T::key_blocks][T::chunk_blocks][4];
    if (before >= T::warp_keys - 1 && before < window - step_queries + 1) {
#pragma unroll
        for (int first = 0; first < step_queries; first += T::chunk) {
            multiply<T>(keys, queries + first * T::row_bytes, scores);
            add_probabilities<T, false>(scores, addends + first, rule, 0, sums);
        }
        return;
    }
#pragma unroll 1
    for (int first = 0; first < step_queries; first += T::chunk) {
        const int gap = before + first;
        if (gap + T::chunk <= 0 || gap - T::warp_keys + 1 >= window)
            continue;
        multiply<T>(keys, queries + first * T::row_bytes, scores);
        add_probabilities<T, true>(scores, addends + first, rule, gap, sums);
    }
}

template <typename T> __device__ inline Rule<T> rule_of(const Launch& launch, const Work& work, int first_key)
{
    Rule<T> rule;
    rule.window = work.window;
    rule.scale = T::plain ? launch.shape.scale * log2_e : score_factor(launch.shape.scale, launch.shape.softcap);
    rule.softcap = launch.shape.softcap;
    if (!T::plain && launch.key_bias != nullptr) {
        for (int block = 0; block < T::key_blocks; ++block) {
            for (int half = 0; half < 2; ++half) {
                const int key = first_key + block * 16 + half * 8 + static_cast<int>(threadIdx.x) % warp / 4;
                if (key < work.span.keys)
                    rule.bias[block][half]
                        = launch.key_bias[work.head * sum_stride(launch.shape) + work.span.first_key + key];
            }
        }
    }
    return rule;
}

/// The four threads of a key add up, and one of them writes.
template <typename T>
__device__ inline void write_sums(const Launch& launch, const Work& work, int first_key, Sum (&sums)[T::key_blocks][2])
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const AttentionShape& shape = launch.shape;
    for (int block = 0; block < T::key_blocks; ++block) {
        for (int half = 0; half < 2; ++half) {
            sums[block][half].flush();
            double total = sums[block][half].value();
            total += __shfl_xor_sync(0xffffffffU, total, 1);
            total += __shfl_xor_sync(0xffffffffU, total, 2);
            const int key = first_key + block * 16 + half * 8 + lane / 4;
            if (lane % 4 != 0 || key >= work.span.keys)
                continue;
            const int64_t column = work.span.first_key + key;
            // Rows of zeros beyond the last query count as seeing, so a key that no query sees may have made a NaN.
            const int behind = work.span.query_begin - key; // of the first query
            if (behind + work.span.queries <= 0 || behind >= static_cast<int>(work.window))
                total = 0;
            if (launch.parts == 1)
                launch.sums[work.head * sum_stride(shape) + column] += static_cast<float>(total);
            else
                launch.partial[(work.part * shape.heads + work.head) * shape.keys + column] = static_cast<float>(total);
        }
    }
}

/// A block owns T::keys keys of one head and walks over its part of the queries that see them, from the last one back:
/// blocks that run together then read the same queries. Every order of additions is fixed.
template <typename T> __global__ void __launch_bounds__(T::threads, T::resident)
    column_sums(const __grid_constant__ Launch launch)
{
    extern __shared__ __align__(16) unsigned char memory[]; // two stages of queries, then their addends
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % warp;
    const Work work = work_of<T>(launch);
    if (work.first_step == work.end_step && launch.parts == 1)
        return;
    const int first_key = work.first_key + thread / warp * T::warp_keys; // of the warp
    auto* addends = reinterpret_cast<float*>(memory + 2 * step_queries * T::row_bytes); // (2, step_queries)
    const uint32_t stages = shared_address(memory);
    constexpr int stage_rows = step_queries * T::row_bytes;
    // Rows of the matrices to load: queries 0 … 7 and 8 … 15, dims 0 … 7 and 8 … 15.
    const uint32_t own_row = (lane % 8 + lane / 16 * 8) * T::row_bytes + lane / 8 % 2 * 16;

    Sum sums[T::key_blocks][2];
    int stage = 0;
    int step = work.end_step - 1;
    if (step >= work.first_step) {
        const int query = work.first_query + step * step_queries;
        copy_queries<T>(launch, work, query, stages);
        if (thread < step_queries)
            addends[thread] = addend_of<T>(launch, work, query + thread);
    }
    uint32_t keys[T::key_blocks][T::dim_steps][4];
    load_keys<T>(launch, work, first_key, keys);
    const Rule<T> rule = rule_of<T>(launch, work, first_key);
    for (; step >= work.first_step; --step) {
        const int query = work.first_query + step * step_queries;
        const bool more = step > work.first_step;
        wait_for_copies();
        __syncthreads(); // this stage is there, and nobody reads the other one any more
        float next_addend = 0;
        if (more) {
            copy_queries<T>(launch, work, query - step_queries, stages + (1 - stage) * stage_rows);
            if (thread < step_queries)
                next_addend = addend_of<T>(launch, work, query - step_queries + thread);
        }
        if (first_key < work.span.keys)
            add_step<T>(keys, stages + stage * stage_rows + own_row, addends + stage * step_queries, rule,
                work.span.query_begin + query - first_key, sums);
        stage = 1 - stage;
        if (more && thread < step_queries)
            addends[stage * step_queries + thread] = next_addend;
        if (stage == 0) {
            for (auto& pair : sums) {
                pair[0].flush();
                pair[1].flush();
            }
        }
    }
    write_sums<T>(launch, work, first_key, sums);
}

} // namespace keepset::kernels::mma
