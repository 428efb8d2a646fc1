#pragma once

#include "core/pass/kept_positions.h"

#include <vector>

namespace keepset {

/// What a point's rows keep together (SEMANTICS 5, keep-set health).
struct KeepHealth {
    std::int64_t evicted_everywhere = 0; ///< positions of the context that no row of a layer that evicts keeps
    std::int64_t last_kept
        = 0; ///< rows of these layers that keep the newest position, where none keeps a position twice
};

/// Of what lies in the cache: the members of KeepHealth in their order, (points, 2) int64 on the positions' device.
/// Positions outside the context count as none. `evicting`: the layers that are looked at, empty: all.
at::Tensor measure_keep_health(const KeptPositions& kept, const std::vector<std::int64_t>& evicting);
/// Waits for a GPU. (points).
std::vector<KeepHealth> keep_health(const at::Tensor& measured);

} // namespace keepset
