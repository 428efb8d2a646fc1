#pragma once

#include "core/selection.h"
#include "kernels/ops/kept_rows.h"
#include "kernels/ops/score_rows.h"
#include "kernels/select/select.h"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Selection for all layers and kv heads at once, on importance from an analysis or from a window of a sweep.
namespace keepset::policy {

/// Importance (SEMANTICS 2), borrowed.
struct ImportanceView {
    std::span<const float> values; ///< (layers, heads, context), cumulative
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::span<const std::int64_t> windows = {}; ///< (layers): Analysis::windows; empty where no layer slides
    /// (layers, heads, context): importance by the last queries, where that is ranked by; else empty.
    std::span<const float> ranked = {};
    std::shared_ptr<const std::vector<float>> held = nullptr; ///< where `ranked` lies, if anywhere

    /// The same without what is ranked by: what mass is counted by.
    ImportanceView cumulative() const { return { values, layers, heads, kv_heads, context, windows }; }
};

/// What turns importance into the rows that get a keep set.
struct Reduction {
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Sliding sliding = Sliding::keep;
    bool operator==(const Reduction&) const = default;
};

/// Scores made once and selected from for every policy and sparsity.
struct ScoreRows {
    Reduction reduction;
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<float> scores; ///< (layers that evict · kv_heads, these layers, or 1 by granularity; context)
    std::vector<double> mass; ///< (layers, kv_heads, context): mean of A over the query heads of a kv head
    std::map<std::string, std::vector<float>> own = {}; ///< as `scores`: those of policies' own, by scores_of
    std::vector<std::int64_t> evicting = {}; ///< evicting_layers
    std::shared_ptr<BridgeSource> bridges = nullptr; ///< absent where the attention was not kept
    std::stop_token stop = {}; ///< for policies that take long
    std::function<void(std::int64_t done, std::int64_t all)> row_done = {}; ///< may be absent
};

/// The layers that evict, ascending; empty: all do. `windows` (layers): those of ImportanceView. Throws Error{usage}
/// where none would.
std::vector<std::int64_t> evicting_layers(std::span<const std::int64_t> windows, std::int64_t context, Sliding sliding);

/// What the kernel that makes scores is told of importance, which may lie on a device.
kernels::ScoreRowsInputs score_rows_inputs(const ImportanceView& importance, const Reduction& reduction);
/// Sums in double, rounded to float once. Throws Error{internal} where sizes and values do not fit together.
ScoreRows score_rows(const ImportanceView& importance, const Reduction& reduction);
/// Scores and mass of one scope: the mean of its rows. Throws Error{usage} where it is outside the model.
RowScores score_scope(const ImportanceView& importance, const Scope& scope, const Reduction& reduction);
/// Importance of every query head of one layer, (heads, context). Throws Error{usage} where it is outside the model.
std::vector<float> query_head_scores(const ImportanceView& importance, std::int64_t layer, const Importance& mode);
/// What carries out plans: kernels::select_cpu, or a device's kernel that takes and gives memory of the host.
using LabelRows = std::function<std::int64_t(const kernels::SelectInputs& inputs)>;
/// Labelled keep sets with their kept mass, all requests in one call of `label_rows`. The requests' granularity,
/// importance and gqa are those of `rows` and are set to them in the results. Throws Error{input} where a score is not
/// finite.
std::vector<KeepSet> select(
    const ScoreRows& rows, std::span<const SelectRequest> requests, const LabelRows& label_rows);
/// The same for one request on CPU threads.
KeepSet select(const ScoreRows& rows, const SelectRequest& request, int threads = 1);
/// Hash of which positions are kept, whatever their role, over all rows. Never 0, which stands for "not done".
std::uint64_t hash_of(const KeepSet& keep_set);
/// Kept positions over all rows.
std::int64_t kept_entries(const KeepSet& keep_set);

} // namespace keepset::policy
