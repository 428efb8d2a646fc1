#pragma once

#include "core/policies.h"
#include "core/task.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

/// What a policy keeps, by which scores, and why.
namespace keepset {

/// Positions [begin, end) of a context that a user wants kept, or gone, whatever their score (SEMANTICS 4b).
struct Pin {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    bool stays = true; ///< false: must go
    bool operator==(const Pin&) const = default;
};

/// What a selection depends on besides the scores (SEMANTICS 2 to 4).
struct SelectRequest {
    PolicySpec policy;
    double sparsity = 0; ///< in [0, 1)
    std::int64_t budget = 0; ///< > 0: entries to keep, instead of sparsity
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Rounding rounding = Rounding::floor;
    Sliding sliding = Sliding::keep;
    std::uint64_t seed = 0;
    std::int64_t window = 0; ///< enters the random policy's hash
    /// Those that stay are kept first, the earlier ones where the budget is too small for all, and count in it. Those
    /// that go are kept only where nothing else is left to fill it. What lies outside the context counts nothing.
    std::vector<Pin> pins = {};
};

/// Labels of every context position for every layer and kv head; shared keep sets are repeated.
struct KeepSet {
    SelectRequest request;
    std::string policy; ///< canonical spelling
    std::int64_t budget = 0; ///< k: entries kept in every row; where rows differ, what was asked for (SEMANTICS 4c)
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<Label> labels; ///< (layers, kv_heads, context)
    double kept_mass = not_a_number; ///< share of attention mass kept, mean over layers and query heads (SEMANTICS 2)
    std::vector<std::int64_t> evicting = {}; ///< layers that evict, where others slide and keep everything; empty: all
    std::string file_sha256 = {}; ///< of the file that its policy reads; empty: it reads none, or it is not known

    bool evicts(std::int64_t layer) const;
};

/// Entries that a keep set keeps, the mean over the rows of layers that evict: its budget, unless rows differ.
double kept_a_row(const KeepSet& set);

/// What a view looks at: one kv head of a layer, a layer's mean (kv_head -1), the whole model's mean (layer -1).
struct Scope {
    std::int64_t layer = -1;
    std::int64_t kv_head = -1;
    bool operator==(const Scope&) const = default;
};

namespace policy {
    class BridgeSource; ///< recomputes attention for policies; opaque outside core
}

/// Scores of what is looked at, made once and selected from at every move of the sparsity slider.
struct RowScores {
    Scope scope;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    std::vector<float> scores; ///< (context): importance, what most policies see
    std::vector<double> mass; ///< (context): mean cumulative importance over the scope's query heads and layers
    std::shared_ptr<policy::BridgeSource> bridges = nullptr; ///< absent where the analysis has no attention
    std::map<std::string, std::vector<float>> own = {}; ///< (context) each: scores of policies' own, by scores_of
    std::map<std::string, std::pair<std::string, std::string>> no_scores = {}; ///< Analysis::no_scores
    std::int64_t layers = 1; ///< of the model
    std::vector<std::int64_t> evicting = {}; ///< layers that evict, where others slide and keep all; empty: all layers
    bool slides() const; ///< whether it is of a layer that slides and keeps everything
    /// Where one kv head is looked at: the rows that a policy shares a budget with (SEMANTICS 4c), those of the layer
    /// or of the model, (rows, context) each by scores_of, "" for importance; add_shared_rows makes them.
    std::map<Sharing, std::map<std::string, std::vector<float>>> shared = {};
};

/// One policy's choice on one row of scores.
struct RowSelection {
    std::string policy; ///< canonical spelling
    std::string title; ///< "H2O", "CAB"
    std::int64_t budget = 0;
    std::vector<Label> labels; ///< (context)
    std::array<std::int64_t, label_count> counts {}; ///< by label
    double kept_mass = not_a_number;
    double cut_off = not_a_number; ///< lowest score among the important; NaN where the policy takes none
    std::vector<double> bridge_scores = {}; ///< (context): flow or curvature, where bridges go by it; else empty
    std::vector<float> scores = {}; ///< (context): what it ranked by, where that is a score of its own; else empty
};

/// Why a token has its label under a policy.
struct Explanation {
    Label label = Label::evicted;
    double score = 0;
    std::int64_t rank = 0; ///< among all positions by score, from 1, ties by position
    double cut_off = not_a_number;
    std::string sentence;
};

/// One policy on one row; `request.granularity`, `importance` and `gqa` are those of `row` and not looked at. Throws
/// Error{usage} where the policy has a score of its own that the row does not hold, Error{internal} where it lacks the
/// rows that it shares a budget with.
RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop = {});

/// Why position `position` has its label.
Explanation explain(
    const RowScores& row, const RowSelection& selection, const SelectRequest& request, std::int64_t position);

/// Which of two keep sets a token is in.
enum class Membership : std::uint8_t { neither, both, only_a, only_b };
/// By position, of two keep sets of one row (labels (context) each). Throws Error{usage} where they differ in length.
std::vector<Membership> memberships(std::span<const Label> a, std::span<const Label> b);

/// |A ∩ B| / |A ∪ B| of two keep sets of one row (labels (context) each; evicted is outside the set).
double jaccard(std::span<const Label> a, std::span<const Label> b);

} // namespace keepset
