#include "tests/kernels/bridges_case.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace keepset::kernels::test {

namespace {

    std::string difference(
        const ImportanceCase& values, const std::string& what, double found, double wanted, double bound)
    {
        std::ostringstream text;
        text.precision(12);
        text << values.describe() << ": " << what << " is " << found << ", the reference " << wanted << ", bound "
             << bound;
        return text.str();
    }

    /// Bounds of both sums, (heads of the range, context) each.
    FlowParts flow_bounds(const ImportanceCase& values, const HeadRange& heads,
        const std::vector<std::int32_t>& important, const Accuracy& accuracy)
    {
        const AttentionShape& shape = values.shape;
        FlowParts bounds(shape, heads);
        for (std::int64_t head = heads.begin; head < heads.end; ++head) {
            for (std::int64_t j = 0; j < shape.keys; ++j) {
                const auto at = static_cast<std::size_t>((head - heads.begin) * shape.keys + j);
                bounds.from[at] = bounds.to[at] = 0;
                for (const std::int64_t i : important) {
                    if (i > j && sees(shape, i, j))
                        bounds.from[at]
                            += probability_bound(values, { head, i, j }, accuracy.exponential, accuracy.tangent);
                    if (i < j && sees(shape, j, i))
                        bounds.to[at]
                            += probability_bound(values, { head, j, i }, accuracy.exponential, accuracy.tangent);
                }
            }
        }
        return bounds;
    }

} // namespace

ImportanceCase random_self_case(std::mt19937& random, std::int64_t largest_context)
{
    const auto pick = [&](std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    };
    constexpr std::array<std::int64_t, 6> head_dims = { 64, 80, 96, 128, 256, 1 };
    AttentionShape shape;
    shape.kv_heads = pick(1, 2);
    shape.heads = shape.kv_heads * pick(1, 7);
    shape.head_dim = pick(0, 1) == 0 ? head_dims[static_cast<std::size_t>(pick(0, 5))] : pick(1, 160);
    shape.queries = shape.keys = pick(1, pick(0, 3) == 0 ? 8 : largest_context);
    const std::int64_t kind = pick(0, 7); // a bit each for window, cap and bias
    if ((kind & 1) != 0)
        shape.window = pick(0, 2) == 0 ? pick(1, 8) : pick(1, 2 * shape.keys);
    if ((kind & 2) != 0)
        shape.softcap = std::uniform_real_distribution<float>(0.5F, 50.0F)(random);
    return (kind & 4) != 0 ? biased_case(shape, random) : normal_case(shape, random);
}

HeadRange random_heads(const AttentionShape& shape, std::mt19937& random)
{
    if (std::bernoulli_distribution()(random))
        return { 0, shape.heads };
    const std::int64_t group = shape.heads / shape.kv_heads;
    const auto kv_head = std::uniform_int_distribution<std::int64_t>(0, shape.kv_heads - 1)(random);
    return { kv_head * group, (kv_head + 1) * group };
}

std::vector<std::int32_t> random_positions(std::int64_t context, std::mt19937& random)
{
    constexpr std::array<double, 5> shares = { 0.0, 0.05, 0.4, 0.9, 1.0 };
    std::bernoulli_distribution taken(shares[std::uniform_int_distribution<std::size_t>(0, 4)(random)]);
    std::vector<std::int32_t> positions;
    for (std::int64_t position = 0; position < context; ++position) {
        if (taken(random))
            positions.push_back(static_cast<std::int32_t>(position));
    }
    return positions;
}

FlowParts::FlowParts(const AttentionShape& shape, const HeadRange& heads)
    : from(static_cast<std::size_t>(heads.size() * shape.keys), std::numeric_limits<double>::quiet_NaN())
    , to(from)
{
}

std::string wrong_flow(const ImportanceCase& values, const HeadRange& heads, const std::vector<std::int32_t>& important,
    const FlowParts& found, const Accuracy& accuracy)
{
    FlowParts wanted(values.shape, heads);
    flow_reference(values.inputs(), heads, important, wanted.from.data(), wanted.to.data());
    const FlowParts bounds = flow_bounds(values, heads, important, accuracy);
    for (std::size_t at = 0; at < wanted.from.size(); ++at) {
        if (!(std::abs(found.from[at] - wanted.from[at]) <= bounds.from[at]))
            return difference(values, "from " + std::to_string(at), found.from[at], wanted.from[at], bounds.from[at]);
        if (!(std::abs(found.to[at] - wanted.to[at]) <= bounds.to[at]))
            return difference(values, "to " + std::to_string(at), found.to[at], wanted.to[at], bounds.to[at]);
    }
    return {};
}

OwnGraph::OwnGraph(std::int64_t nodes)
    : bits_(static_cast<std::size_t>(nodes * graph_words(nodes)))
    , graph_ { nodes, graph_words(nodes), bits_.data() }
{
}

void OwnGraph::join(std::int64_t u, std::int64_t v)
{
    const std::int64_t later = std::max(u, v);
    const std::int64_t earlier = std::min(u, v);
    bits_[static_cast<std::size_t>(later * graph_.words + earlier / 64)] |= std::uint64_t { 1 } << (earlier % 64);
}

void OwnGraph::join_both_ways()
{
    for (std::int64_t later = 0; later < graph_.nodes; ++later) {
        for (std::int64_t earlier = 0; earlier < later; ++earlier) {
            if (has(later, earlier))
                bits_[static_cast<std::size_t>(earlier * graph_.words + later / 64)] |= std::uint64_t { 1 }
                    << (later % 64);
        }
    }
}

bool OwnGraph::has(std::int64_t u, std::int64_t v) const
{
    return (bits_[static_cast<std::size_t>(u * graph_.words + v / 64)] >> (v % 64) & 1U) != 0;
}

std::int64_t OwnGraph::edges_to_earlier() const
{
    std::int64_t edges = 0;
    for (std::int64_t later = 0; later < graph_.nodes; ++later) {
        for (std::int64_t earlier = 0; earlier < later; ++earlier)
            edges += has(later, earlier) ? 1 : 0;
    }
    return edges;
}

void join_at_random(OwnGraph& graph, double density, std::mt19937& random)
{
    std::bernoulli_distribution joined(density);
    for (std::int64_t later = 0; later < graph.view().nodes; ++later) {
        for (std::int64_t earlier = 0; earlier < later; ++earlier) {
            if (joined(random))
                graph.join(later, earlier);
        }
    }
}

std::vector<double> reference_curvature(const AttentionGraph& graph)
{
    std::vector<double> curvature(static_cast<std::size_t>(graph.nodes));
    curvature_reference(graph, curvature.data());
    return curvature;
}

std::string wrong_edges(const ImportanceCase& values, const HeadRange& heads, const OwnGraph& found,
    const Accuracy& accuracy, std::int64_t& near)
{
    const AttentionShape& shape = values.shape;
    for (std::int64_t query = 0; query < shape.queries; ++query) {
        for (std::int64_t key = 0; key < query; ++key) {
            double sum = 0;
            double bound = 0;
            for (std::int64_t head = heads.begin; head < heads.end && sees(shape, query, key); ++head) {
                sum += probability_reference(values.inputs(), head, query, key);
                bound += probability_bound(values, { head, query, key }, accuracy.exponential, accuracy.tangent);
            }
            const bool certain = is_edge(sum - bound, heads.size(), query);
            const bool possible = is_edge(sum + bound, heads.size(), query);
            near += certain != possible ? 1 : 0;
            if (certain == possible && found.has(query, key) != certain)
                return difference(values, "edge " + std::to_string(query) + "-" + std::to_string(key),
                    found.has(query, key) ? 1 : 0, certain ? 1 : 0, bound);
        }
    }
    return {};
}

ImportanceCase case_of_shares(std::int64_t context, const std::function<double(std::int64_t, std::int64_t)>& share)
{
    // Key j is the j-th unit vector, so that a query is its own row of scores.
    AttentionShape shape { 1, 1, context, context, context };
    shape.scale = 1;
    ImportanceCase values = make_case(shape, false, 0);
    for (std::int64_t token = 0; token < context; ++token) {
        values.k_at(0, token, token) = 1;
        for (std::int64_t key = 0; key < token; ++key)
            values.q_at(0, token, key)
                = static_cast<float>(std::log(std::max(share(token, key), 1e-30) / static_cast<double>(token + 1)));
    }
    return values;
}

} // namespace keepset::kernels::test
