#include "kernels/map/attention_map.h"
#include "kernels/p_blocks.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <omp.h>

namespace keepset::kernels {

namespace {

    /// Rows of cells that one thread makes at a time: as many as have a block of queries together, or one that has
    /// more.
    struct Rows {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };

    std::vector<Rows> tasks_of(
        const AttentionMapInputs& map, std::int64_t first_row, std::int64_t end_row, std::int64_t queries)
    {
        std::vector<Rows> tasks;
        for (std::int64_t row = first_row; row < end_row; ++row) {
            const std::int64_t end = cell_range(map, row, 0).query_end;
            if (!tasks.empty() && end - cell_range(map, tasks.back().begin, 0).query_begin <= queries)
                ++tasks.back().end;
            else
                tasks.push_back({ row, row + 1 });
        }
        return tasks;
    }

    class Mapper {
    public:
        Mapper(const AttentionMapInputs& map, int threads)
            : map_(map)
            , shape_(map.attention.shape)
            , blocks_(shape_, threads)
            , lse_(poisoned_lse_of(map.attention, 0))
            , rows_(rows_of(map.attention, 0, lse_))
            , under_way_(static_cast<std::size_t>(threads * blocks_.queries * map.columns))
        {
            const std::int64_t keys = map.key_end - map.key_begin;
            for (std::int64_t at = 0; at < keys; ++at)
                column_of_.push_back(static_cast<std::int32_t>(part_of(keys, map.columns, at)));
            const std::int64_t queries = map.query_end - map.query_begin;
            for (std::int64_t at = 0; at < queries; ++at)
                row_of_.push_back(static_cast<std::int32_t>(part_of(queries, map.rows, at)));
        }

        std::int64_t block_queries() const { return blocks_.queries; }

        void map_rows(const Rows& rows, float* cells)
        {
            double* values = under_way_.data() + omp_get_thread_num() * blocks_.queries * map_.columns;
            std::fill_n(values, (rows.end - rows.begin) * map_.columns, 0.0);
            const std::int64_t end = cell_range(map_, rows.end - 1, 0).query_end;
            for (std::int64_t query = cell_range(map_, rows.begin, 0).query_begin; query < end;
                 query += blocks_.queries)
                add_queries({ query, std::min(query + blocks_.queries, end) }, rows, values);
            for (std::int64_t row = rows.begin; row < rows.end; ++row) {
                for (std::int64_t column = 0; column < map_.columns; ++column)
                    cells[row * map_.columns + column]
                        = finished(cell_range(map_, row, column), values[(row - rows.begin) * map_.columns + column]);
            }
        }

    private:
        /// Adds a block of queries to the cells (rows, columns) under way.
        void add_queries(const QueryRange& queries, const Rows& rows, double* values) const
        {
            const std::int64_t first = std::max(first_key_of(shape_, queries.begin), map_.key_begin) - map_.key_begin;
            const std::int64_t end = std::min(shape_.query_begin + queries.end, map_.key_end); // causality
            for (std::int64_t key = map_.key_begin + first / blocks_.keys * blocks_.keys; key < end;
                 key += blocks_.keys) {
                const QueryRange tile { key, std::min(key + blocks_.keys, map_.key_end) };
                const std::int64_t first_reader = std::max(queries.begin, key - shape_.query_begin);
                const float* p = blocks_.p(shape_, rows_, { first_reader, queries.end }, tile);
                for (std::int64_t query = first_reader; query < queries.end; ++query, p += blocks_.stride) {
                    const std::int64_t row = row_of_[static_cast<std::size_t>(query - map_.query_begin)];
                    double* own = values + (row - rows.begin) * map_.columns;
                    map_.reduction == CellReduction::max ? add_row<CellReduction::max>(query, tile, p, own)
                                                         : add_row<CellReduction::mean>(query, tile, p, own);
                }
            }
        }

        /// Adds what one query sees of a tile, p (tile's keys), to its row of cells (columns).
        template <CellReduction reduction>
        void add_row(std::int64_t query, const QueryRange& tile, const float* p, double* cells) const
        {
            const std::int64_t begin = std::max(first_key_of(shape_, query), tile.begin) - tile.begin;
            const std::int64_t end = std::min(shape_.query_begin + query + 1, tile.end) - tile.begin;
            const std::int32_t* columns = column_of_.data() + (tile.begin - map_.key_begin);
            for (std::int64_t key = begin; key < end; ++key) {
                double& cell = cells[columns[key]];
                const auto value = static_cast<double>(p[key]);
                if constexpr (reduction == CellReduction::mean)
                    cell += value;
                else
                    cell = value <= cell ? cell : value + cell * 0; // so that a NaN, once there, stays
            }
        }

        float finished(const MapCellRange& range, double value) const
        {
            if (all_hidden(shape_, range))
                return hidden_cell;
            if (map_.reduction == CellReduction::mean)
                value /= static_cast<double>((range.query_end - range.query_begin) * (range.key_end - range.key_begin));
            return static_cast<float>(value);
        }

        const AttentionMapInputs& map_;
        const AttentionShape& shape_;
        PBlocks blocks_;
        std::vector<float> lse_; // (queries)
        HeadRows rows_;
        std::vector<std::int32_t> row_of_; // (queries of the range): their row of cells
        std::vector<std::int32_t> column_of_; // (keys of the range)
        std::vector<double> under_way_; // (threads, a block's queries, columns)
    };

} // namespace

void attention_map_cpu(
    const AttentionMapInputs& map, std::int64_t first_row, std::int64_t end_row, float* cells, int threads)
{
    if (map.attention.type != ElementType::float32)
        throw std::runtime_error("attention_map_cpu takes float32 only");
    Mapper mapper(map, threads);
    const std::vector<Rows> tasks = tasks_of(map, first_row, end_row, mapper.block_queries());
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (const Rows& rows : tasks)
        mapper.map_rows(rows, cells);
}

} // namespace keepset::kernels
