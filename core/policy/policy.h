#pragma once

#include "core/attention/bridge_source.h"
#include "core/selection.h"
#include "kernels/select/select.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace keepset {
struct LayerPass;
}

/// A policy maps the scores of one row to a labelled keep set (SEMANTICS 4). Each has a file of its own that makes its
/// Policy, and one line in policies.inc; the command line, the forms, the sweep, the files and the tests find it there.
namespace keepset::policy {

/// One row of scores that were ranked, and what a policy may know about it. It must not look at target tokens.
struct Row {
    std::int64_t budget = 0; ///< k: positions to keep
    std::int64_t left = 0; ///< of the budget, after the plan
    std::uint64_t seed = 0; ///< the request's
    std::int64_t window = 0;
    std::int64_t layer = 0; ///< -1: the row is shared by all layers
    std::int64_t kv_head = 0; ///< -1: the row is shared by the kv heads of its layer
    BridgeSource* bridges = nullptr; ///< absent where the attention was not kept
    std::span<const std::int32_t> positions = {}; ///< (context): where they stand in the text; empty: 0, 1, …
    std::vector<double>* bridge_scores = nullptr; ///< where a criterion leaves its scores (context); may be absent
    std::stop_token stop = {}; ///< ends what takes long with Cancelled
};

/// Where the `at`-th position of a row stands in the text.
inline std::int32_t place_of(const Row& row, std::size_t at)
{
    return row.positions.empty() ? static_cast<std::int32_t>(at) : row.positions[at];
}

struct Policy;

/// Parameters of one policy as set, or else their defaults.
class Settings {
public:
    Settings(const Policy& policy, const PolicySpec& spec);
    /// Whether the parameter was given, for one whose default depends on the request.
    bool given(const std::string& name) const;
    /// Whether there is such a parameter; and whether it has this value.
    bool has(const std::string& name) const;
    bool is(const std::string& name, const std::string& value) const;
    const std::string& text(const std::string& name) const { return values_.at(name); }
    double number(const std::string& name) const;
    std::uint64_t whole(const std::string& name) const;
    std::int64_t count(const std::string& name) const { return static_cast<std::int64_t>(whole(name)); }
    /// Of ParameterKind::share_or_count: floor(share · k) of a share (at least 1 unless it is 0), or the number.
    std::int64_t share_or_count(const std::string& name, std::int64_t k) const;

private:
    std::map<std::string, std::string> values_;
    std::map<std::string, std::string> given_;
};

/// What there is to say about one position of one row.
struct Case {
    std::string title; ///< of the policy, with its parameters
    std::int64_t context = 0;
    std::int64_t budget = 0;
    std::array<std::int64_t, label_count> counts {}; ///< by label
    Label label = Label::evicted;
    double score = 0;
    std::string score_word = "importance"; ///< "score" where the policy has one of its own
    std::string score_of = {}; ///< " from the last 32 queries" where importance is that of these; else empty
    std::int64_t rank = 0; ///< from 1
    double cut_off = not_a_number; ///< lowest score among the important
    std::string criterion; ///< of its bridges, where that is not importance: "flow", "curvature"
    double bridge_score = not_a_number; ///< by the criterion
    std::int64_t bridge_rank = 0; ///< among the tokens that may be bridges, from 1, the best first; 0: not one of them
};

/// A policy that has one of the two things in which a policy differs from another, so that a gain can be told apart
/// (SEMANTICS 4). Both things are named as "the bridges".
struct Control {
    PolicySpec policy;
    std::string shared; ///< what the control has too
    std::string own; ///< what it does not have
};

/// k positions of a context.
struct Share {
    std::int64_t budget = 0;
    std::int64_t context = 0;
};

struct Choosing;
struct Replay;

/// Of how many of the last queries a score needs, where it needs all of them.
inline constexpr std::int64_t all_queries = std::numeric_limits<std::int64_t>::max();

/// What a score is made from beside importance. LayerPass has no more than what some score of the run needs.
struct ScoreParts {
    bool keys = false;
    bool values = false;
    std::int64_t (*queries)(const Settings& settings) = nullptr; ///< how many of the last; absent: none
};

/// One line of the table.
struct Policy {
    PolicyInfo info;
    /// Components by place and by score, carried out on all rows at once; may be absent.
    std::function<kernels::SelectPlan(const Share& share, const Settings& settings)> plan = nullptr;
    /// Labels what is left of row.budget after the plan, row by row; absent where the plan does it all. `labels`
    /// (context) comes in as the plan left it.
    std::function<void(const Row& row, const Settings& settings, std::span<Label> labels)> fill = nullptr;
    /// A score of the policy's own (SEMANTICS 4b), of one layer of the dense pass where it lies: (kv_heads, context)
    /// float32. Absent: it ranks by importance, or by what `choose` makes of other scores. Throws Error{usage} where a
    /// context is too short for it.
    at::Tensor (*score)(const LayerPass& layer, const Settings& settings) = nullptr;
    ScoreParts parts = {}; ///< what `score` looks at
    /// The same of all layers, (layers, kv_heads, context), from the model that is run once more after the dense pass.
    at::Tensor (*replay)(const Replay& from, const Settings& settings) = nullptr;
    /// Labels (score rows, context) uint8 of a point in ways that no plan says; absent: the plan does. choosing.h.
    at::Tensor (*choose)(const Choosing& from, const Settings& settings) = nullptr;
    /// A sentence where the general one (explain.cpp) does not fit; it may return an empty one, or be absent.
    std::function<std::string(const Case& of)> explain = nullptr;
    /// Throws Error{usage} where parameters that are right alone are wrong together; may be absent.
    std::function<void(const Settings& settings)> check = nullptr;
    /// Whether it ranks by attention itself (Row::bridges); absent: never.
    std::function<bool(const Settings& settings)> needs_attention = nullptr;
    /// The control that a comparison with `other` needs, where one of two differences alone may make the gain; absent:
    /// never needs one.
    std::function<std::optional<Control>(const Settings& settings, const PolicySpec& other)> control = nullptr;
    bool evicts = true; ///< false: keeps everything, whatever the sparsity
    bool may_be_flat = false; ///< its score may be as good as equal for all keys of a row: core/flat_rows.h

    bool has_own_score() const { return score != nullptr || replay != nullptr; }
};

/// Every policy, in the order of policies().
std::span<const Policy> table();
/// Throws Error{usage} with the list of known names.
const Policy& find(const std::string& name);

/// The control that tells apart what `policy` gains over `other`, both as files spell them; nothing where none is
/// needed, or one of them is of another version of Keepset.
std::optional<Control> control_of(const std::string& policy, const std::string& other);

/// floor(ratio · k) with the epsilon of SEMANTICS 3.
std::int64_t share_of(double ratio, std::int64_t k);
/// Most recent positions out of a budget of k: at least one unless the ratio is 0, never more than k.
std::int64_t local_share(double ratio, std::int64_t k);
/// The policy that a parameter `of` names, as asked for.
PolicySpec wrapped(const Settings& settings);
/// The one spelling of a policy's own score: the parameters that it depends on and that differ from their defaults.
std::string score_name(const PolicySpec& spec);

/// Whether all rows of the model are ranked together: `uniform` is false.
bool ranks_together(const Settings& settings);
/// `choose` of a policy that ranks all rows of the model together: what scores lowest of them all goes.
at::Tensor best_of_all_rows(const Choosing& from, const Settings& settings);

/// k of a request over `context` positions. Throws Error{usage} where the budget or the sparsity is out of range.
std::int64_t budget_for(const Policy& policy, const SelectRequest& request, std::int64_t context);

/// Throws Error{usage} where a context is too long for the bridges of a policy, whatever it is.
void refuse_long_context(const PolicySpec& spec, std::int64_t context);

/// Whether `score` makes a better bridge than `than` by a criterion: high flow, low curvature.
bool better_bridge(const std::string& criterion, double score, double than);

/// Throws Error{input}: the importance, or a policy's own score, of a position of this row is not a finite number.
[[noreturn]] void refuse_score(const Row& row, std::int64_t position, const std::string& what = "importance");

/// Why a token is kept or not by a policy whose rows share a budget; `among` says what it was ranked with.
std::string explain_uneven(const Case& of, const std::string& among);

/// "its importance 0.486 is below the cut-off 0.742 of the 164 highest", or that it ties and comes later.
std::string below_cut_off(const Case& of);

} // namespace keepset::policy
