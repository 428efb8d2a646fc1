#pragma once

#include "kernels/importance/importance.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>

/// What the CPU versions share around their vectorised tiles.
namespace keepset::kernels {

struct AlignedFree {
    void operator()(float* memory) const { ::operator delete[](memory, std::align_val_t { 64 }); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedFree>;

/// Memory for vectors, not set.
inline AlignedFloats aligned_floats(std::int64_t count)
{
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
    return AlignedFloats(static_cast<float*>(::operator new[](bytes, std::align_val_t { 64 })));
}

/// Whether a row of one query and its log-sum-exp are finite: no exponent of all ones. Integers, so that it vectorises.
inline bool finite_row(const float* q, std::int64_t head_dim, float lse)
{
    constexpr std::uint32_t exponent = 0x7f800000U;
    auto bad = static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(lse) & exponent) == exponent);
    for (std::int64_t dim = 0; dim < head_dim; ++dim)
        bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(q[dim]) & exponent) == exponent);
    return bad == 0;
}

/// The lse of row `head · queries + query`, NaN where it or the query is not finite: all sums that the query touches
/// are then NaN.
inline float poisoned_lse(const ImportanceInputs& inputs, std::int64_t row)
{
    const AttentionShape& shape = inputs.shape;
    const float* q = static_cast<const float*>(inputs.q) + row / shape.queries * shape.q_head_stride
        + row % shape.queries * shape.q_token_stride; // (head_dim)
    const float lse = inputs.row_lse[row / shape.queries * lse_stride(shape) + row % shape.queries];
    return finite_row(q, shape.head_dim, lse) ? lse : std::numeric_limits<float>::quiet_NaN();
}

/// Starting a thread costs more than a millisecond on a busy machine: too much for little work.
inline int useful_threads(double products, int threads) { return products < 1e6 ? 1 : std::max(threads, 1); }

} // namespace keepset::kernels
