#pragma once

#include "kernels/bridges/attention_graph.h"
#include "kernels/importance/importance.h"

/// The CUDA versions of bridges.h; what they share with those of the CPU is said there. All pointers, those of structs
/// too, are on the current device; `stream` is a cudaStream_t, nothing is allocated or synchronised, and
/// every result is the same bit for bit each time. All throw std::runtime_error.
namespace keepset::kernels {

/// Positions of the important tokens, ascending, distinct.
struct ImportantTokens {
    const std::int32_t* positions = nullptr;
    std::int64_t count = 0;
};

/// flow_cpu, of float32, bfloat16 or float16.
void flow_cuda(const ImportanceInputs& inputs, const HeadRange& heads, const ImportantTokens& important, double* from,
    double* to, void* stream);

/// add_probabilities_cpu, of float32, bfloat16 or float16. What a query does not see is left alone.
void add_probabilities_cuda(
    const ImportanceInputs& inputs, const HeadRange& heads, const QueryRange& queries, float* sums, void* stream);

/// What add_edges_cuda looks at: P summed over `count` heads and layers.
struct EdgeSums {
    const float* sums = nullptr; ///< (queries of the range, context)
    std::int64_t count = 0;
    std::int64_t* first_bad = nullptr; ///< one number, set: the first query with a sum that is not finite, or -1
};

/// add_edges_cpu.
void add_edges_cuda(const AttentionShape& shape, const EdgeSums& edges, const QueryRange& queries,
    const AttentionGraph& graph, void* stream);

/// curvature_cpu into curvature (nodes). `workspace`: curvature_cuda_workspace bytes, their content of no matter.
void curvature_cuda(const AttentionGraph& graph, double* curvature, void* workspace, void* stream);
std::int64_t curvature_cuda_workspace(std::int64_t nodes);

} // namespace keepset::kernels
