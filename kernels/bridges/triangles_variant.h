#pragma once

#include "kernels/bridges/bridges.h"

#include <vector>

/// Inner border of curvature_cpu: one source (triangles_count.h) compiled once per instruction set. Public only to
/// tests.
namespace keepset::kernels {

struct TrianglesVariant {
    const char* name = nullptr;
    /// Edges of one token of a graph whose edges go both ways.
    std::int64_t (*degree)(const AttentionGraph& graph, std::int64_t node) = nullptr;
    /// Triangles that one token of such a graph is a corner of.
    std::int64_t (*triangles)(const AttentionGraph& graph, std::int64_t node) = nullptr;
};

namespace baseline {
    extern const TrianglesVariant triangles_variant;
}
namespace avx2 {
    extern const TrianglesVariant triangles_variant;
}
namespace avx512 {
    extern const TrianglesVariant triangles_variant;
}

/// The versions that this processor can run, the fastest last; never empty.
std::vector<TrianglesVariant> triangles_variants();

/// curvature_cpu with a chosen version.
void curvature_cpu_with(const TrianglesVariant& variant, const AttentionGraph& graph, double* curvature, int threads,
    const std::stop_token& stop = {});

} // namespace keepset::kernels
