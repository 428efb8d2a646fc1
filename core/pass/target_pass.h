#pragma once

#include "core/device/backend.h"
#include "core/pass/dense_pass.h"
#include "core/pass/kept_positions.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

namespace keepset {

/// Target tokens over what each of some points keeps of a context.
struct TargetJob {
    const Decoder& decoder;
    const Backend& backend;
    const DensePass& context; ///< with keys and values
    const at::Tensor& inputs; ///< (rows) int64: the target tokens but the last
    const KeptPositions& kept;
    const std::vector<std::size_t>& points; ///< of `kept`
    bool repacked = false; ///< kept keys are turned to KeptPositions::places, targets go on from most() (SEMANTICS 5)
    bool every_expert = false; ///< see FinishOptions
    std::stop_token stop = {};
    /// Called in each layer with the target's own queries (points, heads, rows, head_dim) and keys (points, kv_heads,
    /// rows, head_dim), rotated; may be absent.
    std::function<void(std::int64_t layer, const Projected& parts)> look = {};
};

/// Hidden states after the last layer: (points, rows, hidden). Throws Cancelled.
at::Tensor target_pass(const TargetJob& job);

} // namespace keepset
