#pragma once

#include <cstdint>

/// What bridges are made of on every device: ranges of a pass, and the graph that strong attention makes (SEMANTICS 4).
namespace keepset::kernels {

/// Longest contexts: a graph of 16384 tokens takes 32 MiB and 16384³ / 2 bit products.
inline constexpr std::int64_t max_flow_context = 131072;
inline constexpr std::int64_t max_curvature_context = 16384;

/// Query heads whose rows are wanted: the group of one kv head, or all of a layer.
struct HeadRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    constexpr std::int64_t size() const { return end - begin; }
};

/// An undirected graph over the tokens: bit v of row u says whether u and v are joined. No token is joined to itself.
struct AttentionGraph {
    std::int64_t nodes = 0;
    std::int64_t words = 0; ///< of a row: graph_words(nodes)
    std::uint64_t* bits = nullptr; ///< (nodes, words); bits from `nodes` on are 0
};

/// Words of a row, in whole pieces of 1024 bits, which is what a step of the tensor cores reads.
constexpr std::int64_t graph_words(std::int64_t nodes) { return (nodes + 1023) / 1024 * 16; }

/// By how much of itself attention must exceed the uniform share to be an edge: below it lies what rounding makes of
/// attention that is uniform, which has no edges at all.
inline constexpr double edge_margin = 1e-5;

/// Whether the mean of `count` probabilities that add up to `sum`, of query `later` for an earlier key, exceeds the
/// uniform share 1 / (later + 1). For a float sum both sides are exact, so every device decides alike.
constexpr bool is_edge(double sum, std::int64_t count, std::int64_t later)
{
    return sum * static_cast<double>(later + 1) > static_cast<double>(count) * (1 + edge_margin);
}

/// Rows of the graph that are made together: queries [begin, end).
struct QueryRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// The mean curvature of a node from integers: 4·deg - deg² - Σ deg(neighbours) + 3 · Σ triangles on its edges, where
/// each triangle of the node lies on two of its edges.
constexpr double node_curvature(std::int64_t degree, std::int64_t neighbour_degrees, std::int64_t triangles)
{
    return degree == 0
        ? 0.0
        : static_cast<double>(degree * (4 - degree) - neighbour_degrees + 6 * triangles) / static_cast<double>(degree);
}

} // namespace keepset::kernels
