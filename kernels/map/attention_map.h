#pragma once

#include "kernels/importance/importance.h"

namespace keepset::kernels {

/// What a cell of the map shows of the probabilities of its positions.
enum class CellReduction : std::uint8_t { max, mean };

/// What a cell shows where causality or the window hides all its positions: no probability is below 0.
inline constexpr float hidden_cell = -1.0F;

/// A grid of cells over a range of queries × keys of one query head.
struct AttentionMapInputs {
    ImportanceInputs attention; ///< of one head: shape.heads and shape.kv_heads are 1
    std::int64_t query_begin = 0; ///< rows [query_begin, query_end) of q; shape.query_begin counts beside it
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0; ///< rows [key_begin, key_end) of k
    std::int64_t key_end = 0;
    std::int64_t rows = 0; ///< of cells; 1 … query_end - query_begin
    std::int64_t columns = 0; ///< of cells; 1 … key_end - key_begin
    CellReduction reduction = CellReduction::max;
};

/// Where part `index` of `parts` of a range of `length` begins: no gaps, no overlaps, none empty where parts ≤ length.
constexpr std::int64_t part_begin(std::int64_t length, std::int64_t parts, std::int64_t index)
{
    return index * length / parts;
}

/// The part that position `at` of the range lies in.
constexpr std::int64_t part_of(std::int64_t length, std::int64_t parts, std::int64_t at)
{
    return ((at + 1) * parts - 1) / length;
}

/// The positions of one cell, as rows of q and of k.
struct MapCellRange {
    std::int64_t query_begin = 0;
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0;
    std::int64_t key_end = 0;
};

constexpr MapCellRange cell_range(const AttentionMapInputs& map, std::int64_t row, std::int64_t column)
{
    const std::int64_t queries = map.query_end - map.query_begin;
    const std::int64_t keys = map.key_end - map.key_begin;
    return { map.query_begin + part_begin(queries, map.rows, row),
        map.query_begin + part_begin(queries, map.rows, row + 1), map.key_begin + part_begin(keys, map.columns, column),
        map.key_begin + part_begin(keys, map.columns, column + 1) };
}

/// Whether no query of a range sees any key of it. The distances between them are all whole numbers from the nearest to
/// the farthest, so that the ends tell.
constexpr bool all_hidden(const AttentionShape& shape, const MapCellRange& range)
{
    const std::int64_t nearest = shape.query_begin + range.query_begin - (range.key_end - 1);
    const std::int64_t farthest = shape.query_begin + range.query_end - 1 - range.key_begin;
    return farthest < 0 || (shape.window > 0 && nearest >= shape.window);
}

/// P reduced over each cell to cells (rows, columns): the largest probability of its positions, or their mean, in which
/// hidden positions count as 0; hidden_cell where all are hidden. A query, key, bias or log-sum-exp that is not finite
/// gives NaN in every cell that it takes part in with a visible position. The reference: plain loops in double; float32
/// inputs only.
void attention_map_reference(const AttentionMapInputs& map, double* cells);

/// The same for the rows [first_row, end_row) of the cells, on `threads` CPU threads; float32 inputs only. The cells do
/// not depend on `threads` or on the rows asked for together; those of other rows are left alone. Memory: a copy of the
/// range's keys. Throws std::runtime_error for another element type.
void attention_map_cpu(
    const AttentionMapInputs& map, std::int64_t first_row, std::int64_t end_row, float* cells, int threads);

} // namespace keepset::kernels
