#pragma once

#include "core/attention/attention_source.h"

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

/// Flow and curvature of one row (SEMANTICS 4), made where its layers lie: on CPU threads, or on their GPUs. What it
/// takes of P is recomputed in blocks. All throw Cancelled between blocks of a tenth of a second or less, and
/// Error{input} where attention is not finite. P is the mean over all that shares the row.
namespace keepset {

/// Query heads [begin, end) of one layer: the part that it has in a row.
struct LayerHeads {
    const AttentionSource::Layer* layer = nullptr;
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// Attention between each position and the important ones, summed over all heads of the row.
struct FlowSums {
    std::vector<double> from; ///< (context): later important positions to it
    std::vector<double> to; ///< (context): it to earlier important positions
};

/// `important` ascending, `row` not empty.
FlowSums flow_sums_on_cpu(std::span<const LayerHeads> row, std::span<const std::int32_t> important,
    const Backend& backend, const std::stop_token& stop);
FlowSums flow_sums_on_cuda(std::span<const LayerHeads> row, std::span<const std::int32_t> important,
    const Backend& backend, const std::stop_token& stop);

/// (context).
std::vector<double> curvature_on_cpu(
    std::span<const LayerHeads> row, const Backend& backend, const std::stop_token& stop);
std::vector<double> curvature_on_cuda(
    std::span<const LayerHeads> row, const Backend& backend, const std::stop_token& stop);

/// Error{input} for a position whose attention is not finite.
[[noreturn]] void refuse_attention(std::int64_t position);

} // namespace keepset
