#include "kernels/bridges/bridges.h"

#include <algorithm>

namespace keepset::kernels {

namespace {

    bool joined(const AttentionGraph& graph, std::int64_t u, std::int64_t v)
    {
        return (graph.bits[u * graph.words + v / 64] >> (v % 64) & 1U) != 0;
    }

    std::int64_t degree_of(const AttentionGraph& graph, std::int64_t node)
    {
        std::int64_t degree = 0;
        for (std::int64_t other = 0; other < graph.nodes; ++other)
            degree += joined(graph, node, other) ? 1 : 0;
        return degree;
    }

} // namespace

void flow_reference(const ImportanceInputs& inputs, const HeadRange& heads, std::span<const std::int32_t> important,
    double* from, double* to)
{
    const std::int64_t context = inputs.shape.keys;
    std::fill_n(from, heads.size() * context, 0.0);
    std::fill_n(to, heads.size() * context, 0.0);
    for (std::int64_t head = heads.begin; head < heads.end; ++head) {
        const std::int64_t row = (head - heads.begin) * context;
        for (std::int64_t j = 0; j < context; ++j) {
            for (const std::int64_t i : important) {
                if (i > j && sees(inputs.shape, i, j))
                    from[row + j] += probability_reference(inputs, head, i, j);
                if (i < j && sees(inputs.shape, j, i))
                    to[row + j] += probability_reference(inputs, head, j, i);
            }
        }
    }
}

void curvature_reference(const AttentionGraph& graph, double* curvature)
{
    for (std::int64_t u = 0; u < graph.nodes; ++u) {
        std::int64_t edges = 0;
        std::int64_t sum = 0;
        for (std::int64_t v = 0; v < graph.nodes; ++v) {
            if (!joined(graph, u, v))
                continue;
            std::int64_t triangles = 0;
            for (std::int64_t w = 0; w < graph.nodes; ++w)
                triangles += joined(graph, u, w) && joined(graph, v, w) ? 1 : 0;
            sum += 4 - degree_of(graph, u) - degree_of(graph, v) + 3 * triangles;
            ++edges;
        }
        curvature[u] = edges == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(edges);
    }
}

} // namespace keepset::kernels
