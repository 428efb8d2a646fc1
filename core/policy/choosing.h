#pragma once

#include "core/policy/prepared.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

/// From scores to labels, wherever the scores lie: the one way for sweeps, analyses and the audit.
namespace keepset::policy {

/// The scores of one window or analysis that policies rank by.
struct ScoreTable {
    Reduction reduction;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::map<std::string, at::Tensor> scores; ///< (score rows, context) float32 by scores_of; "": importance
    std::int64_t layers = 1; ///< of the model that evict
    std::int64_t first_layer = 0; ///< of the rows, among the layers that evict; -1: the row is shared by all layers
    std::vector<std::int64_t> evicting = {}; ///< evicting_layers: the rows are theirs alone
    std::int64_t all_layers = 1; ///< of the model, where some do not evict

    /// Throws Error{usage} where they were not made.
    const at::Tensor& of(const std::string& name) const;
    std::int64_t rows() const { return scores.begin()->second.size(0); }
    /// Rows of one layer.
    std::int64_t rows_of_layer() const { return reduction.granularity == Granularity::head ? kv_heads : 1; }
    /// Rows (…, score rows, context) of layers that evict as rows of all layers, `whole` in the others: the same where
    /// all evict.
    at::Tensor of_all_layers(const at::Tensor& rows, double whole) const;
    at::Device device() const { return scores.begin()->second.device(); }
};

/// Carries out plans on scores (rows, context); their labels point to memory of the scores' device. Returns the first
/// score that is not finite, as row · context + position, or -1: () int64 there.
using CarryOut = std::function<at::Tensor(const at::Tensor& scores, std::span<const kernels::SelectPlan> plans)>;
/// By what works in the host's memory.
CarryOut carry_out_on_host(LabelRows label_rows);

/// What labelling needs besides scores and points.
struct Labelling {
    CarryOut carry_out;
    BridgeSource* bridges = nullptr; ///< absent where the attention was not kept
    std::vector<double>* bridge_scores = nullptr; ///< Row::bridge_scores, where there is one row
    std::stop_token stop = {};
    std::function<void(std::int64_t done, std::int64_t all)> row_done = {}; ///< may be absent
    bool whole_is_kept = false; ///< what keeps everything is labelled kept, whatever its policy and the scores are
    std::optional<Scope> scope = {}; ///< what the only row stands for, where it is not the row of its number
};

/// Labels of points and the first score that is not finite.
struct Labelled {
    at::Tensor labels; ///< (points, score rows, context) uint8; where some layers do not evict, with rows for all
    at::Tensor first_bad; ///< () int64: see CarryOut; of the first score table that has one
};

/// Labels every row of every point; which scores a point ranks by, and what pins leave of the context, is seen to.
/// Throws Cancelled.
Labelled label_points(const ScoreTable& table, std::span<const Prepared> points, const Labelling& how);

/// What a policy that chooses by itself is given.
struct Choosing {
    const ScoreTable& table;
    const Prepared& point;
    const CarryOut& carry_out;
    at::Tensor& first_bad; ///< Labelled::first_bad so far
    const std::optional<Scope>& scope; ///< Labelling::scope

    std::int64_t rows_of_layer() const { return table.rows_of_layer(); }
    /// Labels (rows, context) uint8 of one plan on scores; takes note of the first that is not finite.
    at::Tensor labels(const at::Tensor& scores, kernels::SelectPlan plan) const;
};

} // namespace keepset::policy
