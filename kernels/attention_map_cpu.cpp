#include "kernels/attention_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <omp.h>

namespace keepset::kernels {

namespace {

    constexpr std::int64_t block_keys = 64; ///< keys whose scores one step makes
    constexpr std::int64_t block_queries = 4; ///< queries that share a load of these keys
    using Block = std::array<std::array<float, block_keys>, block_queries>; // (queries, keys)

    /// Keys of the range as (blocks, head_dim, block_keys), zeros beyond the end, so that a step runs over keys that
    /// lie side by side.
    std::vector<float> packed_keys(const AttentionMapInputs& map)
    {
        const AttentionShape& shape = map.attention.shape;
        const std::int64_t keys = map.key_end - map.key_begin;
        const std::int64_t blocks = (keys + block_keys - 1) / block_keys;
        std::vector<float> packed(static_cast<std::size_t>(blocks * shape.head_dim * block_keys));
        for (std::int64_t at = 0; at < keys; ++at) {
            const float* key = static_cast<const float*>(map.attention.k) + (map.key_begin + at) * shape.k_token_stride;
            float* out = packed.data() + at / block_keys * shape.head_dim * block_keys + at % block_keys;
            for (std::int64_t dim = 0; dim < shape.head_dim; ++dim)
                out[dim * block_keys] = key[dim];
        }
        return packed;
    }

    /// q·k of some queries with a block of packed keys. Rows beyond `count` repeat the last query.
    void products(const float* const* queries, const float* keys, std::int64_t head_dim, Block& out)
    {
        out = {};
        for (std::int64_t dim = 0; dim < head_dim; ++dim) {
            const float* key = keys + dim * block_keys;
            for (std::size_t row = 0; row < block_queries; ++row) {
                const float factor = queries[row][dim];
                for (std::size_t at = 0; at < block_keys; ++at)
                    out[row][at] += factor * key[at];
            }
        }
    }

    /// One row of cells under way: the largest value and the sum of every cell.
    struct Row {
        std::vector<float> largest; // (columns)
        std::vector<double> sums; // (columns)
    };

    class Mapper {
    public:
        explicit Mapper(const AttentionMapInputs& map)
            : map_(map)
            , shape_(map.attention.shape)
            , keys_(packed_keys(map))
        {
            const std::int64_t length = map.key_end - map.key_begin;
            for (std::int64_t at = 0; at < length; ++at)
                column_of_.push_back(static_cast<std::int32_t>(part_of(length, map.columns, at)));
        }

        void map_row(std::int64_t row, Row& under_way, float* cells) const
        {
            std::fill(under_way.largest.begin(), under_way.largest.end(), 0.0F);
            std::fill(under_way.sums.begin(), under_way.sums.end(), 0.0);
            const MapCellRange range = cell_range(map_, row, 0);
            for (std::int64_t query = range.query_begin; query < range.query_end; query += block_queries)
                add_queries(query, std::min(block_queries, range.query_end - query), under_way);
            for (std::int64_t column = 0; column < map_.columns; ++column)
                cells[column] = finished(cell_range(map_, row, column), under_way, static_cast<std::size_t>(column));
        }

    private:
        void add_queries(std::int64_t first, std::int64_t count, Row& row) const
        {
            const float* queries[block_queries];
            for (std::int64_t at = 0; at < block_queries; ++at)
                queries[at] = static_cast<const float*>(map_.attention.q)
                    + (first + std::min(at, count - 1)) * shape_.q_token_stride;
            const std::int64_t begin = std::max(first_key_of(shape_, first), map_.key_begin) - map_.key_begin;
            const std::int64_t end
                = std::min(shape_.query_begin + first + count, map_.key_end) - map_.key_begin; // causality
            Block scores;
            for (std::int64_t key = begin / block_keys * block_keys; key < end; key += block_keys) {
                products(queries, keys_.data() + key * shape_.head_dim, shape_.head_dim, scores);
                for (std::int64_t at = 0; at < count; ++at)
                    add_scores(first + at, key, scores[static_cast<std::size_t>(at)], row);
            }
        }

        /// Adds one query's probabilities of the keys from `first`, counted from the range's first.
        void add_scores(std::int64_t query, std::int64_t first, std::array<float, block_keys>& scores, Row& row) const
        {
            const std::int64_t last = std::min(shape_.query_begin + query + 1, map_.key_end) - map_.key_begin - first;
            const std::int64_t hidden = first_key_of(shape_, query) - map_.key_begin - first;
            const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(0, hidden));
            const auto end = static_cast<std::size_t>(std::clamp<std::int64_t>(last, 0, block_keys));
            const std::int32_t* columns = column_of_.data() + first;
            for (std::size_t at = begin; at < end; ++at) {
                const float value
                    = probability(scores[at], query, map_.key_begin + first + static_cast<std::int64_t>(at));
                const auto column = static_cast<std::size_t>(columns[at]);
                // Written so that a NaN, once there, stays.
                row.largest[column]
                    = value <= row.largest[column] ? row.largest[column] : value + row.largest[column] * 0;
                row.sums[column] += static_cast<double>(value);
            }
        }

        float probability(float product, std::int64_t query, std::int64_t key) const
        {
            float score = product * shape_.scale;
            if (!std::isfinite(score)) // the cap would hide it
                return std::numeric_limits<float>::quiet_NaN();
            if (shape_.softcap != 0)
                score = shape_.softcap * std::tanh(score / shape_.softcap);
            if (map_.attention.key_bias != nullptr)
                score += map_.attention.key_bias[key];
            const float exponent = score - map_.attention.row_lse[query];
            return std::isfinite(exponent) ? std::exp(exponent) : std::numeric_limits<float>::quiet_NaN();
        }

        float finished(const MapCellRange& range, const Row& row, std::size_t column) const
        {
            if (all_hidden(shape_, range))
                return hidden_cell;
            if (map_.reduction == CellReduction::max)
                return row.largest[column];
            const std::int64_t positions = (range.query_end - range.query_begin) * (range.key_end - range.key_begin);
            return static_cast<float>(row.sums[column] / static_cast<double>(positions));
        }

        const AttentionMapInputs& map_;
        const AttentionShape& shape_;
        std::vector<float> keys_; // (blocks, head_dim, block_keys)
        std::vector<std::int32_t> column_of_; // (keys of the range)
    };

} // namespace

void attention_map_cpu(
    const AttentionMapInputs& map, std::int64_t first_row, std::int64_t end_row, float* cells, int threads)
{
    if (map.attention.type != ElementType::float32)
        throw std::runtime_error("attention_map_cpu takes float32 only");
    const Mapper mapper(map);
    // An exception must not leave an OpenMP region, so all memory is taken here.
    const auto columns = static_cast<std::size_t>(map.columns);
    std::vector<Row> rows(
        static_cast<std::size_t>(threads), { std::vector<float>(columns), std::vector<double>(columns) });
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (std::int64_t row = first_row; row < end_row; ++row)
        mapper.map_row(row, rows[static_cast<std::size_t>(omp_get_thread_num())], cells + row * map.columns);
}

} // namespace keepset::kernels
