#include "kernels/bridges/triangles_variant.h"
#include "kernels/cpu_inputs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace keepset::kernels {

namespace {

    /// Sets the edges of one query to earlier tokens; sums (context). Returns whether all it looked at was finite.
    bool join_row(const AttentionShape& shape, const float* sums, std::int64_t count, std::int64_t query,
        const AttentionGraph& graph)
    {
        std::uint64_t* row = graph.bits + query * graph.words; // (words)
        std::fill_n(row, graph.words, std::uint64_t { 0 });
        bool finite = true;
        for (std::int64_t key = first_key_of(shape, query); key < query; ++key) {
            finite = finite && std::isfinite(sums[key]);
            const std::uint64_t edge = is_edge(static_cast<double>(sums[key]), count, query) ? 1 : 0;
            row[key / 64] |= edge << (key % 64);
        }
        return finite && std::isfinite(sums[query]);
    }

    /// Turns a square of 64 × 64 bits so that rows become columns, by swapping ever smaller blocks.
    void transpose(std::uint64_t* square)
    {
        std::uint64_t low = 0x00000000ffffffffU; // bits of the lower half of each block
        for (std::size_t half = 32; half > 0; half /= 2, low ^= low << half) {
            for (std::size_t row = 0; row < 64; ++row) {
                if ((row & half) != 0)
                    continue;
                const std::uint64_t swapped = ((square[row] >> half) ^ square[row + half]) & low;
                square[row] ^= swapped << half;
                square[row + half] ^= swapped;
            }
        }
    }

    /// Gives the 64 rows from `word` · 64 on their edges to later tokens, which lie in those tokens' rows.
    void mirror(const AttentionGraph& graph, std::int64_t word)
    {
        std::uint64_t square[64];
        const std::int64_t rows = std::min<std::int64_t>(64, graph.nodes - word * 64);
        for (std::int64_t from = word; from * 64 < graph.nodes; ++from) {
            for (std::int64_t bit = 0; bit < 64; ++bit) {
                const std::int64_t later = from * 64 + bit;
                // Of the square on the diagonal only what lies before it: a graph that was mirrored stays as it is.
                const std::uint64_t earlier = from == word ? (std::uint64_t { 1 } << bit) - 1 : ~std::uint64_t { 0 };
                square[bit] = later < graph.nodes ? graph.bits[later * graph.words + word] & earlier : 0;
            }
            transpose(square);
            for (std::int64_t row = 0; row < rows; ++row)
                graph.bits[(word * 64 + row) * graph.words + from] |= square[row];
        }
    }

} // namespace

std::int64_t add_edges_cpu(const AttentionShape& shape, const float* sums, std::int64_t count,
    const QueryRange& queries, const AttentionGraph& graph, int threads)
{
    constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
    std::int64_t first_bad = none;
    const double looked_at = static_cast<double>(queries.end - queries.begin) * static_cast<double>(shape.keys);
#pragma omp parallel for num_threads(useful_threads(looked_at, threads)) reduction(min : first_bad)
    for (std::int64_t query = queries.begin; query < queries.end; ++query) {
        if (!join_row(shape, sums + (query - queries.begin) * shape.keys, count, query, graph))
            first_bad = std::min(first_bad, query);
    }
    return first_bad == none ? -1 : first_bad;
}

std::vector<TrianglesVariant> triangles_variants()
{
    std::vector<TrianglesVariant> variants = { baseline::triangles_variant };
#ifdef KEEPSET_X86_VARIANTS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        variants.push_back(avx2::triangles_variant);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")
        && __builtin_cpu_supports("avx512vpopcntdq"))
        variants.push_back(avx512::triangles_variant);
#endif
    return variants;
}

void curvature_cpu_with(const TrianglesVariant& variant, const AttentionGraph& graph, double* curvature, int threads,
    const std::stop_token& stop)
{
    const auto nodes = static_cast<double>(graph.nodes);
    threads = useful_threads(nodes * nodes * nodes / 64, threads);
    std::vector<std::int64_t> degrees(static_cast<std::size_t>(graph.nodes));
#pragma omp parallel num_threads(threads)
    {
        // A thread writes the rows of its words only, and of others' rows reads only words that nobody writes.
#pragma omp for schedule(dynamic)
        for (std::int64_t word = 0; word < (graph.nodes + 63) / 64; ++word) {
            if (!stop.stop_requested())
                mirror(graph, word);
        }
#pragma omp for schedule(static)
        for (std::int64_t node = 0; node < graph.nodes; ++node)
            degrees[static_cast<std::size_t>(node)] = variant.degree(graph, node);
#pragma omp for schedule(dynamic, 16)
        for (std::int64_t node = 0; node < graph.nodes; ++node) {
            if (stop.stop_requested())
                continue;
            std::int64_t neighbour_degrees = 0;
            for (std::int64_t other = 0; other < graph.nodes; ++other) {
                const std::uint64_t edge = graph.bits[node * graph.words + other / 64] >> (other % 64) & 1U;
                neighbour_degrees += edge != 0 ? degrees[static_cast<std::size_t>(other)] : 0;
            }
            curvature[node] = node_curvature(
                degrees[static_cast<std::size_t>(node)], neighbour_degrees, variant.triangles(graph, node));
        }
    }
}

void curvature_cpu(const AttentionGraph& graph, double* curvature, int threads, const std::stop_token& stop)
{
    curvature_cpu_with(triangles_variants().back(), graph, curvature, threads, stop);
}

} // namespace keepset::kernels
