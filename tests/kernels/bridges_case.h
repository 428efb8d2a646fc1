#pragma once

#include "kernels/bridges/bridges.h"
#include "tests/kernels/importance_case.h"

#include <functional>

/// Inputs and expectations of the bridge kernels, shared by the CPU and the CUDA test.
namespace keepset::kernels::test {

/// Queries that are the keys' own tokens, of any head counts, head_dim and rule.
ImportanceCase random_self_case(std::mt19937& random, std::int64_t largest_context);
HeadRange random_heads(const AttentionShape& shape, std::mt19937& random);
/// Ascending positions; none, one, all, or any number of them.
std::vector<std::int32_t> random_positions(std::int64_t context, std::mt19937& random);

/// Relative errors of a device's exponential and tangent.
struct Accuracy {
    double exponential = 0;
    double tangent = 0;
};

/// Both sums of a flow, (heads of the range, context) each, NaN before they are set.
struct FlowParts {
    FlowParts(const AttentionShape& shape, const HeadRange& heads);
    std::vector<double> from;
    std::vector<double> to;
};
/// Empty where every sum is within the bound of the reference, else a sentence.
std::string wrong_flow(const ImportanceCase& values, const HeadRange& heads, const std::vector<std::int32_t>& important,
    const FlowParts& found, const Accuracy& accuracy);

/// A graph with memory behind it, no edges yet.
class OwnGraph {
public:
    explicit OwnGraph(std::int64_t nodes);
    OwnGraph(const OwnGraph&) = delete;
    OwnGraph& operator=(const OwnGraph&) = delete;
    /// u and v joined as add_edges does it: in the row of the later one only; or both ways.
    void join(std::int64_t u, std::int64_t v);
    void join_both_ways();
    bool has(std::int64_t u, std::int64_t v) const;
    std::int64_t edges_to_earlier() const;
    const AttentionGraph& view() const { return graph_; }
    std::vector<std::uint64_t>& bits() { return bits_; }

private:
    std::vector<std::uint64_t> bits_; // (nodes, words)
    AttentionGraph graph_;
};

/// A graph with each pair joined with this probability.
void join_at_random(OwnGraph& graph, double density, std::mt19937& random);
std::vector<double> reference_curvature(const AttentionGraph& graph);

/// Empty where the graph has just the edges to earlier tokens that the mean over the heads makes in double, pairs
/// closer to the threshold than the kernel's error aside; else a sentence. `near` counts those.
std::string wrong_edges(const ImportanceCase& values, const HeadRange& heads, const OwnGraph& found,
    const Accuracy& accuracy, std::int64_t& near);

/// One head in which `share`(query, key) of the uniform share goes from a query to an earlier key; what a query gives
/// to itself is left open. The rows need not sum to 1.
ImportanceCase case_of_shares(std::int64_t context, const std::function<double(std::int64_t, std::int64_t)>& share);

} // namespace keepset::kernels::test
