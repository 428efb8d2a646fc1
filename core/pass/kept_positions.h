#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace keepset {

/// What each of several points keeps of one context: as many positions in every row of a point.
struct KeptPositions {
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<std::int64_t> budgets; ///< (points): k, positions kept in every row
    std::vector<std::int64_t> begins; ///< (points): where those of a point begin
    at::Tensor positions; ///< (all) int32 on the decoder's device; of a point (layers, kv_heads, k), ascending in a row

    /// Room for points with these budgets; the positions are set to 0.
    KeptPositions(std::int64_t layers, std::int64_t kv_heads, std::int64_t context, std::vector<std::int64_t> budgets,
        at::Device device);
    /// Positions of one point, a view: (layers, kv_heads, k) int32.
    at::Tensor of(std::size_t point) const;
    /// Where the rows of some points begin: (points, layers · kv_heads) int64, on the positions' device.
    at::Tensor starts(const std::vector<std::size_t>& points) const;
};

} // namespace keepset
