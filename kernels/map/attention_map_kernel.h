#pragma once

// Device code of attention_map.cu. A block owns a strip of queries and a share of the columns of cells, and walks over
// the keys of these that its queries see, a tile at a time: the tile's P goes to shared memory and is reduced there,
// first along the keys of each column of cells, then along the queries of each row of cells. What the strip adds to a
// cell lies in memory of its own, so that no atomics are needed and every order of additions is fixed.

#include "kernels/map/attention_map.h"
#include "kernels/score_tiles.h"

#include <cstdint>

namespace keepset::kernels::map {

using tiles::own;
using tiles::threads;
using tiles::tile; // queries of a strip, and keys of a step
constexpr int stride = tile + 1; // odd: a column is read without bank conflicts

/// In shared memory, behind what the products need.
struct Tile {
    float p[tile * stride]; // (queries, keys)
    float lse[tile]; // (queries)
    float bias[tile]; // (keys)
    int row_starts[tile + 1]; // queries of the strip at which its rows of cells begin, and its end
    int column_starts[tile + 1]; // the same of keys and columns
};

struct Strip {
    int number = 0;
    int first_query = 0;
    int queries = 0;
    int first_row = 0; // of cells
    int rows = 0;
    int first_key = 0; // of the walk
    int end_key = 0; // one past the last that a query sees
    int end_share = 0; // one past the last of the block's columns
    unsigned window = 0;
};

/// Where partial (strips + rows - 1, columns) holds what a strip adds to a row of cells: neighbours share at most one.
__device__ inline int64_t partial_row(int strip, int row) { return static_cast<int64_t>(strip) + row; }

/// The last strips see most keys, so they come first.
__device__ inline Strip strip_of(const AttentionMapInputs& map)
{
    const AttentionShape& shape = map.attention.shape;
    Strip strip;
    strip.number = static_cast<int>(gridDim.x - 1 - blockIdx.x);
    const int begin = strip.number * tile; // of the range
    const int64_t length = map.query_end - map.query_begin;
    strip.first_query = static_cast<int>(map.query_begin) + begin;
    strip.queries = min(tile, static_cast<int>(length) - begin);
    strip.first_row = static_cast<int>(part_of(length, map.rows, begin));
    strip.rows = static_cast<int>(part_of(length, map.rows, begin + strip.queries - 1)) - strip.first_row + 1;
    strip.window = tiles::window_of(shape);
    // Shares end where columns do, so that no two blocks add to the same cell.
    const int64_t keys = map.key_end - map.key_begin;
    const auto share_begin = [&](int64_t share) {
        return static_cast<int>(map.key_begin + part_begin(keys, map.columns, map.columns * share / gridDim.y));
    };
    const int begin_share = share_begin(blockIdx.y);
    strip.end_share = share_begin(static_cast<int64_t>(blockIdx.y) + 1);
    const int hidden = max(0, static_cast<int>(first_key_of(shape, strip.first_query)) - begin_share);
    strip.first_key = begin_share + hidden / tile * tile;
    const int64_t seen = shape.query_begin + strip.first_query + strip.queries; // causality
    strip.end_key = static_cast<int>(seen < strip.end_share ? seen : strip.end_share);
    return strip;
}

/// What a cell shows of two parts of it, before any division. Written so that a NaN, once there, stays.
template <CellReduction reduction, typename Number> __device__ inline Number joined(Number so_far, Number value)
{
    if constexpr (reduction == CellReduction::mean)
        return so_far + value;
    else
        return value <= so_far ? so_far : value + so_far * 0;
}

/// Cells that a range of positions reaches, and where in it each begins: starts (count + 1). Returns the first cell.
/// `at` is the first position, counted from the begin of all of `length`.
__device__ inline int find_starts(int64_t length, int64_t parts, int at, int positions, int* starts, int& count)
{
    const int first = static_cast<int>(part_of(length, parts, at));
    count = static_cast<int>(part_of(length, parts, at + positions - 1)) - first + 1;
    const int thread = static_cast<int>(threadIdx.x);
    if (thread < count)
        starts[thread] = max(0, static_cast<int>(part_begin(length, parts, first + thread)) - at);
    else if (thread == count)
        starts[thread] = positions;
    return first;
}

/// Reduces each query's probabilities along the keys of each column, in place: onto the first of them.
template <CellReduction reduction> __device__ inline void reduce_keys(Tile& shared, int columns)
{
    for (int at = static_cast<int>(threadIdx.x); at < tile * columns; at += threads) {
        const int column = at / tile;
        float* p = shared.p + at % tile * stride;
        const int begin = shared.column_starts[column];
        const int end = shared.column_starts[column + 1];
        float value = p[begin];
        for (int key = begin + 1; key < end; ++key)
            value = joined<reduction>(value, p[key]);
        p[begin] = value;
    }
}

/// Reduces what is left along the queries of each row, and adds it to partial (columns of all) from `first_column` on.
template <CellReduction reduction> __device__ inline void reduce_queries(const AttentionMapInputs& map,
    const Strip& strip, const Tile& shared, int first_column, int columns, double* partial)
{
    for (int at = static_cast<int>(threadIdx.x); at < strip.rows * columns; at += threads) {
        const int row = at / columns;
        const int column = at % columns;
        const float* p = shared.p + shared.column_starts[column];
        const int begin = shared.row_starts[row];
        const int end = shared.row_starts[row + 1];
        float value = p[begin * stride];
        for (int query = begin + 1; query < end; ++query)
            value = joined<reduction>(value, p[query * stride]);
        double& cell = partial[partial_row(strip.number, strip.first_row + row) * map.columns + first_column + column];
        cell = joined<reduction>(cell, static_cast<double>(value));
    }
}

/// partial (strips + rows - 1, columns), zeros before.
template <typename Products, CellReduction reduction> __global__ void __launch_bounds__(threads, 4)
    map_strips(const __grid_constant__ AttentionMapInputs map, double* partial)
{
    extern __shared__ __align__(16) unsigned char memory[];
    const AttentionShape& shape = map.attention.shape;
    Tile& shared = *reinterpret_cast<Tile*>(memory + Products::bytes(shape.head_dim));
    const int thread = static_cast<int>(threadIdx.x);
    const Strip strip = strip_of(map);
    if (strip.first_key >= strip.end_key)
        return;
    Products products(shape.head_dim, { map.attention.q, shape.q_token_stride }, strip.first_query,
        strip.first_query + strip.queries, { map.attention.k, shape.k_token_stride }, memory);
    const auto end_of = [&](int key) { return min(key + tile, strip.end_share); };
    products.fetch(strip.first_key, end_of(strip.first_key));
    int rows = 0;
    find_starts(map.query_end - map.query_begin, map.rows, strip.number * tile, strip.queries, shared.row_starts, rows);
    if (thread < strip.queries)
        shared.lse[thread] = map.attention.row_lse[strip.first_query + thread];

    for (int key = strip.first_key; key < strip.end_key; key += tile) {
        const int end = end_of(key);
        float scores[own];
        products.multiply(key, end, scores); // after it nobody reads the last tile any more
        int columns = 0;
        const int first_column = find_starts(map.key_end - map.key_begin, map.columns,
            key - static_cast<int>(map.key_begin), end - key, shared.column_starts, columns);
        if (thread < end - key)
            shared.bias[thread] = map.attention.key_bias == nullptr ? 0.0F : map.attention.key_bias[key + thread];
        __syncthreads();
        products.fetch(key + tile, end_of(key + tile));
        const int before = static_cast<int>(shape.query_begin) + strip.first_query - key;
#pragma unroll
        for (int at = 0; at < own; ++at) {
            const int query = Products::row_of(at);
            const int own_key = Products::column_of(at);
            const auto gap = static_cast<unsigned>(before + query - own_key);
            const bool seen = gap < strip.window && query < strip.queries && key + own_key < end;
            shared.p[query * stride + own_key]
                = seen ? tiles::probability(shape, scores[at], shared.bias[own_key], shared.lse[query]) : 0.0F;
        }
        __syncthreads();
        reduce_keys<reduction>(shared, columns);
        __syncthreads();
        reduce_queries<reduction>(map, strip, shared, first_column, columns, partial);
    }
    mma::wait_for_copies(); // of a tile that no query sees
}

/// Puts the parts of each cell together.
template <CellReduction reduction> __global__ void __launch_bounds__(threads)
    finish_cells(const __grid_constant__ AttentionMapInputs map, const double* partial, float* cells)
{
    const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
    if (at >= map.rows * map.columns)
        return;
    const int64_t row = at / map.columns;
    const int64_t column = at % map.columns;
    const MapCellRange range = cell_range(map, row, column);
    if (all_hidden(map.attention.shape, range)) {
        cells[at] = hidden_cell;
        return;
    }
    double value = 0;
    const int end = static_cast<int>((range.query_end - 1 - map.query_begin) / tile);
    for (int strip = static_cast<int>((range.query_begin - map.query_begin) / tile); strip <= end; ++strip)
        value = joined<reduction>(value, partial[partial_row(strip, static_cast<int>(row)) * map.columns + column]);
    if constexpr (reduction == CellReduction::mean)
        value /= static_cast<double>((range.query_end - range.query_begin) * (range.key_end - range.key_begin));
    cells[at] = static_cast<float>(value);
}

} // namespace keepset::kernels::map
