#include "kernels/bridges/bridges.h"
#include "kernels/p_blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <omp.h>

namespace keepset::kernels {

namespace {

    constexpr std::int64_t sum_lanes = 8; // sums of a row that go side by side, in an order of their own

    void require_float(const ImportanceInputs& inputs)
    {
        if (inputs.type != ElementType::float32)
            throw std::runtime_error("bridges on the CPU take float32 queries and keys only");
    }

    /// The important tokens' rows side by side.
    struct Gathered {
        std::vector<float> q; // (important, head_dim)
        std::vector<float> k; // (important, head_dim)
        std::vector<float> lse; // (important)
        std::vector<float> bias; // (important), or empty

        Gathered(const HeadRows& all, std::int64_t head_dim, std::span<const std::int32_t> important)
        {
            for (const std::int64_t token : important) {
                q.insert(q.end(), all.q + token * all.q_stride, all.q + token * all.q_stride + head_dim);
                k.insert(k.end(), all.k + token * all.k_stride, all.k + token * all.k_stride + head_dim);
                lse.push_back(all.lse[token]);
                if (all.bias != nullptr)
                    bias.push_back(all.bias[token]);
            }
        }
        Gathered() = default;
    };

    /// Indices of the important tokens in [begin, end).
    QueryRange indices_within(std::span<const std::int32_t> important, std::int64_t begin, std::int64_t end)
    {
        const auto index = [&](std::int64_t position) {
            return std::lower_bound(important.begin(), important.end(), position) - important.begin();
        };
        return { index(begin), std::max(index(begin), index(end)) };
    }

    /// One past the last query that sees any key of [.., end_key).
    std::int64_t end_query(const AttentionShape& shape, std::int64_t end_key)
    {
        return shape.window == 0 ? shape.queries : std::min(shape.queries, end_key - 1 + shape.window);
    }

    /// The flow of one query head.
    struct HeadFlow {
        const AttentionShape& shape;
        const PBlocks& blocks;
        std::span<const std::int32_t> important;
        HeadRows all;
        HeadRows gathered;

        /// What later important tokens read of keys [tile.begin, tile.end), into from (context).
        void add_from(const QueryRange& tile, double* from) const
        {
            const QueryRange readers = indices_within(important, tile.begin + 1, end_query(shape, tile.end));
            HeadRows rows = all;
            rows.q = gathered.q;
            rows.q_stride = gathered.q_stride;
            rows.lse = gathered.lse;
            for (std::int64_t begin = readers.begin; begin < readers.end; begin += blocks.queries) {
                const std::int64_t end = std::min(begin + blocks.queries, readers.end);
                const float* p = blocks.p(shape, rows, { begin, end }, tile);
                for (std::int64_t reader = begin; reader < end; ++reader, p += blocks.stride) {
                    const std::int64_t position = important[static_cast<std::size_t>(reader)];
                    const std::int64_t last = std::min(position, tile.end);
                    for (std::int64_t key = std::max(first_key_of(shape, position), tile.begin); key < last; ++key)
                        from[key] += static_cast<double>(p[key - tile.begin]);
                }
            }
        }

        /// What queries [block.begin, block.end), at most blocks.queries, read of earlier important tokens, into to
        /// (context).
        void add_to(const QueryRange& block, double* to) const
        {
            double sums[PBlocks::most_queries][sum_lanes] = {};
            const QueryRange read = indices_within(important, first_key_of(shape, block.begin), block.end - 1);
            HeadRows rows = all;
            rows.k = gathered.k;
            rows.k_stride = gathered.k_stride;
            rows.bias = gathered.bias;
            for (std::int64_t begin = read.begin; begin < read.end; begin += blocks.keys) {
                const std::int64_t end = std::min(begin + blocks.keys, read.end);
                const float* p = blocks.p(shape, rows, block, { begin, end });
                for (std::int64_t query = block.begin; query < block.end; ++query, p += blocks.stride) {
                    const QueryRange seen = indices_within(important, first_key_of(shape, query), query);
                    add_row(p, std::max(seen.begin, begin) - begin, std::min(seen.end, end) - begin,
                        sums[query - block.begin]);
                }
            }
            for (std::int64_t query = block.begin; query < block.end; ++query) {
                for (const double sum : sums[query - block.begin])
                    to[query] += sum;
            }
        }

        static void add_row(const float* p, std::int64_t begin, std::int64_t end, double* lanes)
        {
            for (; begin + sum_lanes <= end; begin += sum_lanes) {
                for (std::int64_t lane = 0; lane < sum_lanes; ++lane)
                    lanes[lane] += static_cast<double>(p[begin + lane]);
            }
            for (; begin < end; ++begin)
                lanes[0] += static_cast<double>(p[begin]);
        }
    };

} // namespace

void flow_cpu(const ImportanceInputs& inputs, const HeadRange& heads, std::span<const std::int32_t> important,
    double* from, double* to, int threads)
{
    require_float(inputs);
    const AttentionShape& shape = inputs.shape;
    const auto count = static_cast<std::int64_t>(important.size());
    threads = useful_threads(
        static_cast<double>(shape.keys * shape.head_dim) * static_cast<double>(count * heads.size()), threads);
    const PBlocks blocks(shape, threads);
    std::fill_n(from, heads.size() * shape.keys, 0.0);
    std::fill_n(to, heads.size() * shape.keys, 0.0);
    const std::int64_t tiles = (shape.keys + blocks.keys - 1) / blocks.keys;
    const std::int64_t query_blocks = (shape.queries + blocks.queries - 1) / blocks.queries;
    for (std::int64_t head = heads.begin; head < heads.end && count > 0; ++head) {
        const std::vector<float> lse = poisoned_lse_of(inputs, head);
        const HeadRows all = rows_of(inputs, head, lse);
        const Gathered own(all, shape.head_dim, important);
        const HeadRows gathered { own.q.data(), shape.head_dim, own.lse.data(), own.k.data(), shape.head_dim,
            own.bias.empty() ? nullptr : own.bias.data() };
        const HeadFlow flow { shape, blocks, important, all, gathered };
        double* head_from = from + (head - heads.begin) * shape.keys; // (context)
        double* head_to = to + (head - heads.begin) * shape.keys; // (context)
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::int64_t task = 0; task < tiles + query_blocks; ++task) {
            if (task < tiles) {
                flow.add_from({ task * blocks.keys, std::min((task + 1) * blocks.keys, shape.keys) }, head_from);
                continue;
            }
            // The last queries read most.
            const std::int64_t begin = (query_blocks - 1 - (task - tiles)) * blocks.queries;
            flow.add_to({ begin, std::min(begin + blocks.queries, shape.queries) }, head_to);
        }
    }
}

void add_probabilities_cpu(
    const ImportanceInputs& inputs, const HeadRange& heads, const QueryRange& queries, float* sums, int threads)
{
    require_float(inputs);
    const AttentionShape& shape = inputs.shape;
    const std::int64_t asked = queries.end - queries.begin;
    threads = useful_threads(
        static_cast<double>(shape.keys * shape.head_dim) * static_cast<double>(asked * heads.size()), threads);
    const PBlocks blocks(shape, threads);
    const std::int64_t tiles = (shape.keys + blocks.keys - 1) / blocks.keys;
    const std::int64_t query_blocks = (asked + blocks.queries - 1) / blocks.queries;
    for (std::int64_t head = heads.begin; head < heads.end; ++head) {
        const std::vector<float> lse = poisoned_lse_of(inputs, head);
        const HeadRows rows = rows_of(inputs, head, lse);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::int64_t task = 0; task < tiles * query_blocks; ++task) {
            const std::int64_t begin = queries.begin + task / tiles * blocks.queries;
            const QueryRange block { begin, std::min(begin + blocks.queries, queries.end) };
            const std::int64_t first_key = task % tiles * blocks.keys;
            const QueryRange tile { first_key, std::min(first_key + blocks.keys, shape.keys) };
            if (tile.begin >= block.end || tile.end <= first_key_of(shape, block.begin))
                continue;
            const std::int64_t first_reader = std::max(block.begin, tile.begin);
            const float* p = blocks.p(shape, rows, { first_reader, block.end }, tile);
            for (std::int64_t query = first_reader; query < block.end; ++query, p += blocks.stride) {
                float* out = sums + (query - queries.begin) * shape.keys + tile.begin; // (tile's keys)
                for (std::int64_t key = 0; key < tile.end - tile.begin; ++key)
                    out[key] += p[key];
            }
        }
    }
}

} // namespace keepset::kernels
