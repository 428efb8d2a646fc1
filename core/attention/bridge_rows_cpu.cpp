#include "core/attention/bridge_rows.h"
#include "core/error.h"
#include "kernels/bridges/bridges.h"

#include <algorithm>

namespace keepset {

namespace {

    constexpr double products_at_once = 5e8; // a tenth of a second or less
    constexpr std::int64_t sums_at_once = 1LL << 22; // 16 MiB

    void check(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            throw Cancelled {};
    }

    /// Adds `own` where a query sees a key; both (queries of the range, context), or `own` empty.
    void add_seen(const kernels::AttentionShape& shape, const kernels::QueryRange& queries,
        const std::vector<float>& own, std::vector<float>& sums)
    {
        for (std::int64_t query = queries.begin; query < queries.end && !own.empty(); ++query) {
            const std::int64_t row = (query - queries.begin) * shape.keys;
            for (std::int64_t key = kernels::first_key_of(shape, query); key <= query; ++key)
                sums[static_cast<std::size_t>(row + key)] += own[static_cast<std::size_t>(row + key)];
        }
    }

    /// Edges of some queries to earlier tokens, by the mean over all that shares the row.
    void join(const kernels::QueryRange& queries, std::span<const LayerHeads> row, const kernels::AttentionGraph& graph,
        int threads, const std::stop_token& stop)
    {
        std::vector<float> sums(static_cast<std::size_t>((queries.end - queries.begin) * graph.nodes));
        std::int64_t heads = 0;
        kernels::AttentionShape shape;
        for (const LayerHeads& part : row) {
            check(stop);
            const KernelInputs made = kernel_inputs(*part.layer, part.begin, part.end);
            shape = made.inputs.shape;
            // A layer with a window adds nothing where it does not see.
            std::vector<float> own(shape.window > 0 ? sums.size() : 0);
            for (std::int64_t head = 0; head < shape.heads; ++head) {
                check(stop);
                kernels::add_probabilities_cpu(
                    made.inputs, { head, head + 1 }, queries, own.empty() ? sums.data() : own.data(), threads);
            }
            add_seen(shape, queries, own, sums);
            heads += shape.heads;
        }
        shape.window = 0; // what a window hides is 0 in the sums
        const std::int64_t bad = kernels::add_edges_cpu(shape, sums.data(), heads, queries, graph, threads);
        if (bad >= 0)
            refuse_attention(bad);
    }

} // namespace

FlowSums flow_sums_on_cpu(std::span<const LayerHeads> row, std::span<const std::int32_t> important,
    const Backend& backend, const std::stop_token& stop)
{
    const auto context = static_cast<std::size_t>(row.front().layer->q.size(1));
    FlowSums sums { std::vector<double>(context, 0.0), std::vector<double>(context, 0.0) };
    FlowSums part = sums;
    for (const LayerHeads& heads : row) {
        const KernelInputs made = kernel_inputs(*heads.layer, heads.begin, heads.end);
        const kernels::AttentionShape& shape = made.inputs.shape;
        // Both are sums over important tokens, so that these may come piece by piece.
        const auto piece = static_cast<std::size_t>(
            std::max(64.0, products_at_once / static_cast<double>(shape.keys * shape.head_dim)));
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::size_t begin = 0; begin < important.size(); begin += piece) {
                check(stop);
                kernels::flow_cpu(made.inputs, { head, head + 1 },
                    important.subspan(begin, std::min(piece, important.size() - begin)), part.from.data(),
                    part.to.data(), backend.threads);
                for (std::size_t j = 0; j < context; ++j) {
                    sums.from[j] += part.from[j];
                    sums.to[j] += part.to[j];
                }
            }
        }
    }
    return sums;
}

std::vector<double> curvature_on_cpu(
    std::span<const LayerHeads> row, const Backend& backend, const std::stop_token& stop)
{
    const std::int64_t nodes = row.front().layer->q.size(1);
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(nodes * kernels::graph_words(nodes)));
    const kernels::AttentionGraph graph { nodes, kernels::graph_words(nodes), bits.data() };
    const std::int64_t piece = std::clamp<std::int64_t>(sums_at_once / nodes, 48, std::max<std::int64_t>(nodes, 48));
    for (std::int64_t begin = 0; begin < nodes; begin += piece)
        join({ begin, std::min(begin + piece, nodes) }, row, graph, backend.threads, stop);
    std::vector<double> curvature(static_cast<std::size_t>(nodes));
    kernels::curvature_cpu(graph, curvature.data(), backend.threads, stop);
    check(stop);
    return curvature;
}

} // namespace keepset
