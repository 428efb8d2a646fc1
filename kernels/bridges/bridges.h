#pragma once

#include "kernels/bridges/attention_graph.h"
#include "kernels/importance/importance.h"

#include <span>
#include <stop_token>

/// What makes a token a bridge (SEMANTICS 4): attention that flows through it between important tokens, and the
/// curvature of the graph that strong attention makes. P is recomputed in blocks and never stored whole. Everywhere
/// here queries and keys are the same `context` tokens: shape.queries = shape.keys, shape.query_begin = 0.
namespace keepset::kernels {

// ---- flow ----------------------------------------------------------------------------------------------------

/// For each head of the range and each token j, over the `important` tokens I (ascending positions, distinct): into
/// from (heads of the range, context) Σ_{i∈I, i>j} P[i,j], the attention of later important tokens to j, and into to
/// (heads of the range, context) Σ_{i∈I, i<j} P[j,i], the attention of j to earlier ones. Both are set. A score or
/// log-sum-exp that is not finite gives NaN in every sum it takes part in. Plain loops in double; float32 inputs only.
void flow_reference(const ImportanceInputs& inputs, const HeadRange& heads, std::span<const std::int32_t> important,
    double* from, double* to);

/// The same on `threads` CPU threads, products and exponentials in float, sums in double, in time of O(context ·
/// important). Takes 2 · important · head_dim floats of memory. The sums do not depend on `threads`. Throws
/// std::runtime_error for another element type than float32.
void flow_cpu(const ImportanceInputs& inputs, const HeadRange& heads, std::span<const std::int32_t> important,
    double* from, double* to, int threads);

// ---- curvature -----------------------------------------------------------------------------------------------

/// Adds P of every head of the range to sums (queries of the range, context), so that heads and layers which share a
/// row come one after another. What a query does not see is left undefined. Not finite scores give NaN. Products and
/// sums in float; does not depend on `threads`. Throws std::runtime_error for another element type than float32.
void add_probabilities_cpu(
    const ImportanceInputs& inputs, const HeadRange& heads, const QueryRange& queries, float* sums, int threads);

/// Joins each query of the range with the earlier keys whose mean over `count` probabilities makes an edge, from sums
/// (queries of the range, context). `shape` says which keys a query sees. Sets the words of the range's rows; bits of
/// later tokens are left 0 for curvature_cpu to fill in. Returns the first query with a sum that is not finite, or -1.
std::int64_t add_edges_cpu(const AttentionShape& shape, const float* sums, std::int64_t count,
    const QueryRange& queries, const AttentionGraph& graph, int threads);

/// Mean augmented Forman-Ricci curvature of every token's edges into curvature (nodes), 0 where it has none:
///     F(u,v) = 4 - deg(u) - deg(v) + 3 · triangles on u-v
/// Exact integers until the one division. Takes the graph with the edges to earlier tokens and fills in those to later
/// ones. Time of O(edges · nodes / 64). When `stop` is requested it returns early, and the curvature is of no use.
void curvature_cpu(const AttentionGraph& graph, double* curvature, int threads, const std::stop_token& stop = {});

/// The curvature of a graph whose edges go both ways, by looking at every pair and triple.
void curvature_reference(const AttentionGraph& graph, double* curvature);

} // namespace keepset::kernels
