#pragma once

#include "core/device/backend.h"
#include "core/pass/kept_positions.h"
#include "core/policy/choosing.h"
#include "core/policy/select.h"
#include "kernels/ops/kept_rows.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <vector>

/// Selection of many points on the scores of one window, where these lie.
namespace keepset::policy {

/// Scores of one window on a device, made once for all points.
struct WindowScores {
    std::int64_t layers = 0;
    ScoreTable table; ///< ScoreRows::scores and ScoreRows::own
    at::Tensor mass; ///< (layers · kv_heads, context) float64: ScoreRows::mass

    std::int64_t rows() const { return layers * table.kv_heads; }
    std::int64_t context() const { return table.context; }
    /// Whether a row is of a layer that evicts.
    bool evicts(std::int64_t row) const;
    /// The same in the host's memory, with the mass left 0.
    ScoreRows on_host() const;
};

/// What a pass gave, on its device.
struct PassScores {
    const at::Tensor& importance; ///< (layers, heads, context) float32
    std::map<std::string, at::Tensor> own = {}; ///< OwnScores::take
    std::int64_t kv_heads = 1;
    std::span<const std::int64_t> windows = {}; ///< (layers): those of ImportanceView
    at::Tensor ranked = {}; ///< DensePass::last_importance, where that is ranked by; else undefined
};

/// The rows of what a pass gave. Those of importance are the same to the last bit on all devices.
WindowScores window_scores(const PassScores& pass, const Reduction& reduction, const Backend& backend);

/// What selecting for points needs besides the scores.
struct WindowSelection {
    std::span<const SelectRequest> requests; ///< (points), with the window's index
    std::shared_ptr<BridgeSource> bridges = nullptr; ///< absent where the attention was not kept
    std::stop_token stop = {};
    /// Changes labels (points, score rows, context) uint8 before they become positions; of tests.
    std::function<void(at::Tensor& labels)> fault = {};
};

/// Keep sets of points as positions, with what there is to say about them. On a GPU all but `kept` is on its way.
struct SelectedPoints {
    KeptPositions kept;
    at::Tensor facts; ///< (points, rows · sizeof(KeptFacts)) bytes, on the scores' device
    at::Tensor first_bad; ///< () int64: first score that is not finite, as score row · context + position; or -1
};

/// Labels every row of every point by the points' policies and budgets and lists what is kept. Waits for a GPU only
/// where a policy fills in labels on the host. Throws Cancelled.
SelectedPoints select_points(const WindowScores& scores, const WindowSelection& selection, const Backend& backend);

/// What a point keeps over all rows.
struct PointFacts {
    std::int64_t entries = 0;
    std::uint64_t hash = 0; ///< hash_of the keep set
    double kept_mass = not_a_number; ///< KeepSet::kept_mass
    std::int64_t first_kept = 0; ///< rows of layers that evict that hold position 0
    std::int64_t tied_rows = 0; ///< rows where the position decided at the cut
};
/// facts (points, rows · sizeof(KeptFacts)) bytes, in the host's memory.
std::vector<PointFacts> sum_facts(const at::Tensor& facts, const WindowScores& scores);

/// Which points have a keep set (points): all, or where a score is not finite, so that nothing can be ranked, those
/// that keep everything. Waits for a GPU. Throws Error{internal} where such a point kept another number than its
/// budget.
std::vector<bool> chosen_points(const WindowScores& scores, const SelectedPoints& selected, const at::Tensor& facts);

/// Facts of the places that kept positions name, whatever their order, each counted once: as SelectedPoints::facts.
at::Tensor facts_of(const KeptPositions& kept, const WindowScores& scores, const Backend& backend);

} // namespace keepset::policy
