#include "kernels/bridges.h"
#include "kernels/cpu_inputs.h"
#include "kernels/importance_variant.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <omp.h>

namespace keepset::kernels {

namespace {

    constexpr std::int64_t block_queries
        = 48; // P of a block stays in the second-level cache: 48 · max_tile_keys floats
    constexpr std::int64_t sum_lanes = 8; // sums of a row that go side by side, in an order of their own

    void require_float(const ImportanceInputs& inputs)
    {
        if (inputs.type != ElementType::float32)
            throw std::runtime_error("bridges on the CPU take float32 queries and keys only");
    }

    /// Rows, log-sum-exp and bias of one query head, as they lie or as they were gathered.
    struct HeadRows {
        const float* q = nullptr; // (queries, head_dim)
        std::int64_t q_stride = 0;
        const float* lse = nullptr; // (queries)
        const float* k = nullptr; // (keys, head_dim)
        std::int64_t k_stride = 0;
        const float* bias = nullptr; // (keys), or nullptr
    };

    /// Memory of each thread, taken before the threads start: an exception must not leave an OpenMP region.
    struct Workspace {
        Workspace(std::int64_t tile_keys, std::int64_t head_dim, int threads)
            : keys(tile_keys)
            , packed_size((tile_keys * std::max<std::int64_t>(head_dim, 1) + 15) / 16 * 16)
            , packed(aligned_floats(packed_size * threads))
            , p(aligned_floats(block_queries * max_tile_keys * threads))
        {
        }

        /// P of queries [begin, end), at most block_queries, and keys [first_key, end_key), at most `keys`, whether
        /// seen or not. Returns (queries, max_tile_keys).
        const float* probabilities(const ImportanceVariant& variant, const AttentionShape& shape, const HeadRows& rows,
            const QueryRange& queries, const QueryRange& tile_keys) const
        {
            KeyTile tile;
            tile.q = rows.q;
            tile.q_stride = rows.q_stride;
            tile.queries = queries.end;
            tile.lse = rows.lse;
            tile.k = rows.k + tile_keys.begin * rows.k_stride;
            tile.k_stride = rows.k_stride;
            tile.keys = tile_keys.end - tile_keys.begin;
            tile.bias = rows.bias == nullptr ? nullptr : rows.bias + tile_keys.begin;
            tile.head_dim = shape.head_dim;
            tile.first_query = queries.begin;
            tile.scale = shape.scale;
            tile.softcap = shape.softcap;
            float* out = p.get() + omp_get_thread_num() * block_queries * max_tile_keys;
            variant.probabilities(tile, packed.get() + omp_get_thread_num() * packed_size, out);
            return out;
        }

        std::int64_t keys;
        std::int64_t packed_size;
        AlignedFloats packed;
        AlignedFloats p;
    };

    std::vector<float> poisoned_lse_of(const ImportanceInputs& inputs, std::int64_t head)
    {
        std::vector<float> lse(static_cast<std::size_t>(inputs.shape.queries));
        for (std::size_t query = 0; query < lse.size(); ++query)
            lse[query] = poisoned_lse(inputs, head * inputs.shape.queries + static_cast<std::int64_t>(query));
        return lse;
    }

    /// One query head as it lies; lse from poisoned_lse_of.
    HeadRows rows_of(const ImportanceInputs& inputs, std::int64_t head, const std::vector<float>& lse)
    {
        const AttentionShape& shape = inputs.shape;
        return { static_cast<const float*>(inputs.q) + head * shape.q_head_stride, shape.q_token_stride, lse.data(),
            static_cast<const float*>(inputs.k) + head / (shape.heads / shape.kv_heads) * shape.k_head_stride,
            shape.k_token_stride, inputs.key_bias == nullptr ? nullptr : inputs.key_bias + head * sum_stride(shape) };
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
        const ImportanceVariant& variant;
        const AttentionShape& shape;
        const Workspace& workspace;
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
            for (std::int64_t begin = readers.begin; begin < readers.end; begin += block_queries) {
                const std::int64_t end = std::min(begin + block_queries, readers.end);
                const float* p = workspace.probabilities(variant, shape, rows, { begin, end }, tile);
                for (std::int64_t reader = begin; reader < end; ++reader, p += max_tile_keys) {
                    const std::int64_t position = important[static_cast<std::size_t>(reader)];
                    const std::int64_t last = std::min(position, tile.end);
                    for (std::int64_t key = std::max(first_key_of(shape, position), tile.begin); key < last; ++key)
                        from[key] += static_cast<double>(p[key - tile.begin]);
                }
            }
        }

        /// What queries [block.begin, block.end), at most block_queries, read of earlier important tokens, into to
        /// (context).
        void add_to(const QueryRange& block, double* to) const
        {
            double sums[block_queries][sum_lanes] = {};
            const QueryRange read = indices_within(important, first_key_of(shape, block.begin), block.end - 1);
            HeadRows rows = all;
            rows.k = gathered.k;
            rows.k_stride = gathered.k_stride;
            rows.bias = gathered.bias;
            for (std::int64_t begin = read.begin; begin < read.end; begin += workspace.keys) {
                const std::int64_t end = std::min(begin + workspace.keys, read.end);
                const float* p = workspace.probabilities(variant, shape, rows, block, { begin, end });
                for (std::int64_t query = block.begin; query < block.end; ++query, p += max_tile_keys) {
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
    const ImportanceVariant variant = importance_variants().back();
    const Workspace workspace(keys_of_tile(variant, shape.head_dim), shape.head_dim, threads);
    std::fill_n(from, heads.size() * shape.keys, 0.0);
    std::fill_n(to, heads.size() * shape.keys, 0.0);
    const std::int64_t tiles = (shape.keys + workspace.keys - 1) / workspace.keys;
    const std::int64_t blocks = (shape.queries + block_queries - 1) / block_queries;
    for (std::int64_t head = heads.begin; head < heads.end && count > 0; ++head) {
        const std::vector<float> lse = poisoned_lse_of(inputs, head);
        const HeadRows all = rows_of(inputs, head, lse);
        const Gathered own(all, shape.head_dim, important);
        const HeadRows gathered { own.q.data(), shape.head_dim, own.lse.data(), own.k.data(), shape.head_dim,
            own.bias.empty() ? nullptr : own.bias.data() };
        const HeadFlow flow { variant, shape, workspace, important, all, gathered };
        double* head_from = from + (head - heads.begin) * shape.keys; // (context)
        double* head_to = to + (head - heads.begin) * shape.keys; // (context)
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::int64_t task = 0; task < tiles + blocks; ++task) {
            if (task < tiles) {
                flow.add_from({ task * workspace.keys, std::min((task + 1) * workspace.keys, shape.keys) }, head_from);
                continue;
            }
            // The last queries read most.
            const std::int64_t begin = (blocks - 1 - (task - tiles)) * block_queries;
            flow.add_to({ begin, std::min(begin + block_queries, shape.queries) }, head_to);
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
    const ImportanceVariant variant = importance_variants().back();
    const Workspace workspace(keys_of_tile(variant, shape.head_dim), shape.head_dim, threads);
    const std::int64_t tiles = (shape.keys + workspace.keys - 1) / workspace.keys;
    const std::int64_t blocks = (asked + block_queries - 1) / block_queries;
    for (std::int64_t head = heads.begin; head < heads.end; ++head) {
        const std::vector<float> lse = poisoned_lse_of(inputs, head);
        const HeadRows rows = rows_of(inputs, head, lse);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::int64_t task = 0; task < tiles * blocks; ++task) {
            const std::int64_t begin = queries.begin + task / tiles * block_queries;
            const QueryRange block { begin, std::min(begin + block_queries, queries.end) };
            const std::int64_t first_key = task % tiles * workspace.keys;
            const QueryRange tile { first_key, std::min(first_key + workspace.keys, shape.keys) };
            if (tile.begin >= block.end || tile.end <= first_key_of(shape, block.begin))
                continue;
            const float* p = workspace.probabilities(variant, shape, rows, block, tile);
            for (std::int64_t query = block.begin; query < block.end; ++query, p += max_tile_keys) {
                float* out = sums + (query - queries.begin) * shape.keys + tile.begin; // (tile's keys)
                for (std::int64_t key = 0; key < tile.end - tile.begin; ++key)
                    out[key] += p[key];
            }
        }
    }
}

} // namespace keepset::kernels
