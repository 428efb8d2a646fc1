#pragma once

// Device code of bridges.cu: the graph of strong attention, and its curvature. Rows are read as words of 32 bits, bit v
// of row u being bit v % 32 of word v / 32.

#include "kernels/bridges/attention_graph.h"
#include "kernels/mma.h"
#include "kernels/shapes.h"

#include <cstdint>

namespace keepset::kernels::graph {

constexpr int warp = 32;
constexpr int threads = 256;
constexpr int warps = threads / warp;
constexpr unsigned all_lanes = 0xffffffffU;

__device__ inline uint32_t* row_of(const AttentionGraph& graph, int64_t node)
{
    return reinterpret_cast<uint32_t*>(graph.bits + node * graph.words);
}

/// A block joins one query with earlier keys; sums (queries of the range, context). Lowers first_bad.
__global__ void __launch_bounds__(threads) join_rows(AttentionShape shape, const float* sums, int64_t count,
    int64_t first_query, AttentionGraph graph, int64_t* first_bad)
{
    const int64_t query = first_query + blockIdx.x;
    const float* row = sums + static_cast<int64_t>(blockIdx.x) * shape.keys; // (context)
    const int64_t first = first_key_of(shape, query);
    const int lane = static_cast<int>(threadIdx.x) % warp;
    bool finite = true;
    for (int64_t word = threadIdx.x / warp; word < 2 * graph.words; word += warps) {
        const int64_t key = word * warp + lane;
        bool edge = false;
        if (key >= first && key <= query) {
            finite = finite && isfinite(row[key]);
            edge = key < query && is_edge(static_cast<double>(row[key]), count, query);
        }
        const unsigned bits = __ballot_sync(all_lanes, edge);
        if (lane == 0)
            row_of(graph, query)[word] = bits;
    }
    if (!finite) // -1, none, is the largest of all without a sign
        atomicMin(reinterpret_cast<unsigned long long*>(first_bad), static_cast<unsigned long long>(query));
}

/// A warp gives 32 rows their edges to 32 later tokens, which lie in those tokens' rows. Nobody writes what is read.
__global__ void __launch_bounds__(threads) mirror(AttentionGraph graph)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const int later = static_cast<int>(blockIdx.y); // 32 rows
    const int earlier = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / warp; // word
    if (earlier > later)
        return;
    const int64_t from = static_cast<int64_t>(later) * warp + lane;
    uint32_t bits = from < graph.nodes ? row_of(graph, from)[earlier] : 0;
    if (earlier == later)
        bits &= (1U << lane) - 1;
    uint32_t turned = 0;
    for (int bit = 0; bit < warp; ++bit) {
        const uint32_t column = __ballot_sync(all_lanes, (bits >> bit & 1U) != 0);
        turned = bit == lane ? column : turned;
    }
    const int64_t to = static_cast<int64_t>(earlier) * warp + lane;
    if (to < graph.nodes)
        row_of(graph, to)[later] |= turned;
}

/// A warp counts the neighbours of one node, and sets its triangles to none.
__global__ void __launch_bounds__(threads) count_neighbours(AttentionGraph graph, int* degrees, unsigned* triangles)
{
    const int64_t node = static_cast<int64_t>(blockIdx.x) * warps + threadIdx.x / warp;
    if (node >= graph.nodes)
        return;
    const int lane = static_cast<int>(threadIdx.x) % warp;
    int degree = 0;
    for (int64_t word = lane; word < 2 * graph.words; word += warp)
        degree += __popc(row_of(graph, node)[word]);
    degree = __reduce_add_sync(all_lanes, degree);
    if (lane == 0) {
        degrees[node] = degree;
        triangles[node] = 0;
    }
}

constexpr int square = 128; // pairs of a block: 128 × 128
constexpr int chunk_bytes = 128; // of each row in shared memory at a time
constexpr int row_bytes = chunk_bytes + 16; // an odd number of 16 bytes: no bank conflicts
constexpr int stage_bytes = 2 * square * row_bytes;
constexpr int warp_rows = 64;
constexpr int warp_columns = 32;
constexpr int row_blocks = warp_rows / 16;
constexpr int column_blocks = warp_columns / 8;
using Common = int[row_blocks][column_blocks][4]; // neighbours that pairs of a warp have in common

/// common (16 rows, 8 columns) += rows (16, 256) AND columns (8, 256), bits counted. PTX ISA: mma, b1.
__device__ inline void count_common(int (&common)[4], const uint32_t (&rows)[4], uint32_t low, uint32_t high)
{
    asm("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(common[0]), "+r"(common[1]), "+r"(common[2]), "+r"(common[3])
        : "r"(rows[0]), "r"(rows[1]), "r"(rows[2]), "r"(rows[3]), "r"(low), "r"(high));
}

/// Queues a chunk of 128 rows, zeros beyond the last node.
__device__ inline void copy_rows(const AttentionGraph& graph, int64_t first_row, int64_t chunk, uint32_t to)
{
    constexpr int copies = chunk_bytes / 16;
    for (int at = static_cast<int>(threadIdx.x); at < square * copies; at += threads) {
        const int64_t row = first_row + at / copies;
        const bool real = row < graph.nodes;
        const auto* from = reinterpret_cast<const unsigned char*>(row_of(graph, real ? row : 0)) + chunk * chunk_bytes;
        mma::copy_async(to + at / copies * row_bytes + at % copies * 16, from + at % copies * 16, real);
    }
}

/// Adds what one chunk of all has in common. rows, columns: of the warp.
__device__ inline void add_chunk(uint32_t rows, uint32_t columns, Common& common)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    const uint32_t row = rows + lane % 16 * row_bytes + lane / 16 * 16;
    const uint32_t column = columns + (lane % 8 + lane / 16 * 8) * row_bytes + lane / 8 % 2 * 16;
#pragma unroll
    for (int step = 0; step < chunk_bytes; step += 32) {
        uint32_t left[row_blocks][4];
#pragma unroll
        for (int block = 0; block < row_blocks; ++block)
            mma::load_matrices(left[block], row + block * 16 * row_bytes + step);
#pragma unroll
        for (int pair = 0; pair < column_blocks; pair += 2) {
            uint32_t right[4];
            mma::load_matrices(right, column + pair * 8 * row_bytes + step);
#pragma unroll
            for (int block = 0; block < row_blocks; ++block) {
                count_common(common[block][pair], left[block], right[0], right[1]);
                count_common(common[block][pair + 1], left[block], right[2], right[3]);
            }
        }
    }
}

/// Adds common neighbours of joined pairs u > v to both: each triangle of a node comes once by each of its two edges
/// there. Integers, so that the order of the atomics is of no matter.
__device__ inline void add_pairs(
    const AttentionGraph& graph, int64_t first_row, int64_t first_column, const Common& common, unsigned* triangles)
{
    const int lane = static_cast<int>(threadIdx.x) % warp;
    unsigned by_column[column_blocks][2] = {};
#pragma unroll
    for (int at = 0; at < 2 * row_blocks; ++at) {
        const int64_t row = first_row + at / 2 * 16 + at % 2 * 8 + lane / 4;
        const uint32_t edges = row < graph.nodes ? row_of(graph, row)[first_column / warp] : 0;
        unsigned by_row = 0;
#pragma unroll
        for (int block = 0; block < column_blocks; ++block) {
#pragma unroll
            for (int side = 0; side < 2; ++side) {
                const int column = block * 8 + lane % 4 * 2 + side;
                const bool counts = (edges >> column & 1U) != 0 && first_column + column < row;
                const unsigned both = counts ? static_cast<unsigned>(common[at / 2][block][at % 2 * 2 + side]) : 0U;
                by_row += both;
                by_column[block][side] += both;
            }
        }
        by_row += __shfl_xor_sync(all_lanes, by_row, 1);
        by_row += __shfl_xor_sync(all_lanes, by_row, 2);
        if (lane % 4 == 0 && by_row != 0)
            atomicAdd(triangles + row, by_row);
    }
#pragma unroll
    for (int at = 0; at < 2 * column_blocks; ++at) {
        unsigned sum = by_column[at / 2][at % 2];
        for (int lanes = 4; lanes < warp; lanes *= 2)
            sum += __shfl_xor_sync(all_lanes, sum, lanes);
        if (lane < 4 && sum != 0)
            atomicAdd(triangles + first_column + at / 2 * 8 + lane * 2 + at % 2, sum);
    }
}

/// Each pair once: blocks above the diagonal have nothing to do. triangles (nodes) becomes twice those of each node: at
/// most 16384², which an int holds.
__global__ void __launch_bounds__(threads, 2) count_triangles(AttentionGraph graph, unsigned* triangles)
{
    extern __shared__ __align__(16) unsigned char memory[]; // two stages: rows, then columns
    if (blockIdx.x > blockIdx.y)
        return;
    const int64_t first_row = static_cast<int64_t>(blockIdx.y) * square;
    const int64_t first_column = static_cast<int64_t>(blockIdx.x) * square;
    const int number = static_cast<int>(threadIdx.x) / warp;
    const int own_row = number / 4 * warp_rows;
    const int own_column = number % 4 * warp_columns;
    const uint32_t stages = mma::shared_address(memory);
    const auto fetch = [&](int64_t chunk) {
        const uint32_t to = stages + static_cast<uint32_t>(chunk % 2) * stage_bytes;
        copy_rows(graph, first_row, chunk, to);
        copy_rows(graph, first_column, chunk, to + square * row_bytes);
    };
    Common common = {};
    const int64_t chunks = graph.words * 8 / chunk_bytes;
    fetch(0);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        mma::wait_for_copies();
        __syncthreads(); // this stage is there, and nobody reads the other one any more
        if (chunk + 1 < chunks)
            fetch(chunk + 1);
        const uint32_t stage = stages + static_cast<uint32_t>(chunk % 2) * stage_bytes;
        add_chunk(stage + own_row * row_bytes, stage + (square + own_column) * row_bytes, common);
    }
    add_pairs(graph, first_row + own_row, first_column + own_column, common, triangles);
}

/// A warp finishes one node.
__global__ void __launch_bounds__(threads)
    finish_curvature(AttentionGraph graph, const int* degrees, const unsigned* triangles, double* curvature)
{
    const int64_t node = static_cast<int64_t>(blockIdx.x) * warps + threadIdx.x / warp;
    if (node >= graph.nodes)
        return;
    const int lane = static_cast<int>(threadIdx.x) % warp;
    unsigned neighbour_degrees = 0; // at most 16384²
    for (int64_t word = 0; word * warp < graph.nodes; ++word) {
        const uint32_t bits = row_of(graph, node)[word];
        if ((bits >> lane & 1U) != 0)
            neighbour_degrees += static_cast<unsigned>(degrees[word * warp + lane]);
    }
    neighbour_degrees = __reduce_add_sync(all_lanes, neighbour_degrees);
    if (lane == 0)
        curvature[node] = node_curvature(degrees[node], neighbour_degrees, triangles[node] / 2);
}

} // namespace keepset::kernels::graph
