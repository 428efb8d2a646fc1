#pragma once

#include "core/model/decoder.h"
#include "core/pass/dense_pass.h"
#include "core/policy/own_scores.h"
#include "core/policy/select_window.h"
#include "core/run.h"
#include "core/selection.h"
#include "core/sweep/beyond_mean.h"
#include "core/sweep/evidence.h"
#include "core/sweep/keep_health.h"
#include "core/sweep/target_score.h"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace keepset {

/// Token ids of one window. The first target token is predicted from the last context token's dense logits, the same
/// for every method, so target.size() - 1 losses are scored.
struct Window {
    std::int64_t index = 0;
    std::int64_t begin = 0; ///< its first token in the text's tokens (a BOS that is put in front aside)
    std::vector<std::int64_t> context; ///< (context), BOS first where the tokenizer adds one
    std::vector<std::int64_t> target; ///< (target)
    std::vector<Pin> pins = {}; ///< positions of the context
};

/// One point on one window.
struct WindowPoint {
    TargetScore score;
    BeyondMean beyond;
    KeepHealth health; ///< of what was put into the cache
    double kept_mass = not_a_number;
    std::uint64_t selected_hash = 0; ///< of the positions that the policy chose
    std::uint64_t definition_hash = 0; ///< of those that its definition keeps on this window's scores
    std::uint64_t keep_hash = 0; ///< of those that were put into the cache
    std::int64_t kept_entries = 0; ///< that were put there
    std::int64_t budget_entries = 0; ///< that the budgets of all rows add up to
    std::int64_t first_kept = 0; ///< rows that hold position 0
    std::int64_t tied_rows = 0;
    std::int64_t flat_rows = 0; ///< Run::flat_rows
    double seconds = 0; ///< its share of the target pass, without the dense pass that all points share
};

struct WindowResult {
    std::vector<WindowPoint> points; ///< in the order of the plan
    std::vector<float> short_nll; ///< (target - 1) nats of the short pass; empty without one
    ImportanceFacts facts;
    std::uint64_t read_hash = 0; ///< of the context's ids, then those of the targets but the last, as they were read
    double largest_hidden = 0; ///< largest magnitude of a hidden state after the last layer, of all passes
};

/// Changes one thing on a window's real way, each where the product does nothing: the seam by which tests break a sweep
/// and ask whether the audit notices.
struct SweepFaults {
    std::function<void(Window&)> window; ///< before anything is done with it
    std::function<DensePass(const at::Tensor& ids, const DensePassOptions&)> dense; ///< instead of dense_pass
    std::function<void(at::Tensor&)> selected; ///< labels (points, score rows, context) uint8 of the selection
    std::function<KeptPositions(const KeptPositions&)> gathered; ///< what to gather keys by, of as many points
    std::function<at::Tensor(const at::Tensor&)> scored; ///< ids (target - 1) to be scored
    std::function<at::Tensor(const at::Tensor&)> hidden; ///< hidden states (points, rows, hidden) to be scored
};

/// What a protocol works with. `plan` has the dense point first.
struct SweepStep {
    const Decoder& decoder;
    const Backend& backend;
    const SweepRequest& request;
    const std::vector<SelectRequest>& plan;
    std::stop_token stop;
    std::function<void(std::int64_t points_done)> point_done;
    const SweepFaults& faults;
    bool every_expert = false; ///< in every pass, see FinishOptions
    policy::EncodeFn encode = {}; ///< of the model's tokenizer
};

/// A way of measuring: one line of the protocol table.
struct ProtocolEntry {
    Protocol protocol;
    WindowResult (*run)(const SweepStep& step, const Window& window);
};
const ProtocolEntry& protocol_entry(Protocol protocol);

/// Points whose target rows, so many of each, go through a layer together: on a GPU the more the better, on a CPU more
/// only delays a stop.
std::int64_t points_together(const Decoder& decoder, std::int64_t rows);
/// Dense pass over the context, keys and values evicted, targets scored over what is kept (SEMANTICS 5, prefill-evict).
WindowResult run_prefill_evict(const SweepStep& step, const Window& window);
/// Kept token ids fed again as a shorter text (SEMANTICS 5, token-drop).
WindowResult run_token_drop(const SweepStep& step, const Window& window);

/// The policies of a plan, for the scores of their own.
std::vector<PolicySpec> policies_of(const SweepStep& step);
/// dense_pass over ids (n) int64 as the step wants it.
DensePass run_dense(const SweepStep& step, const at::Tensor& ids, DensePassOptions options);
/// Makes the scores that need the model once more after the pass over ids (context).
void run_replay(const SweepStep& step, const DensePass& pass, const at::Tensor& ids, policy::OwnScores& own);
/// What every point of the plan keeps, by the importance, and the attention, of a dense pass. On a GPU all of it is
/// on its way there; tell waits for it.
class Selection {
public:
    /// `own`: OwnScores::take of the pass.
    Selection(
        const SweepStep& step, const Window& window, const DensePass& pass, std::map<std::string, at::Tensor> own);

    /// What goes into the cache.
    const KeptPositions& kept() const { return kept_; }
    /// Hash of what goes into the cache by point, hash_of a keep set; empty on a GPU, which would be waited for.
    std::vector<std::uint64_t> kept_hashes() const;
    /// Fills in what the audit wants to know. Returns which points have a keep set (points): where importance is not
    /// finite nothing can be ranked by it, and only what keeps everything has one.
    std::vector<bool> tell(WindowResult& result) const;

private:
    std::int64_t evicting_rows() const;

    const SweepStep& step_;
    std::vector<SelectRequest> requests_; // (points)
    std::shared_ptr<policy::BridgeSource> bridges_;
    policy::WindowScores scores_;
    policy::SelectedPoints selected_;
    KeptPositions kept_; // selected_.kept, or what a fault made of it
    at::Tensor gathered_; // facts of kept_
    at::Tensor health_; // of kept_
    at::Tensor measured_; // of the importance
    at::Tensor largest_; // magnitude of the hidden states
    std::map<std::string, at::Tensor> flat_; // flat rows of scores_, by score
};
/// The score of a point that has no keep set: nothing of so many rows is a number. `hash` is TargetScore::target_hash.
TargetScore unscored(std::int64_t rows, std::uint64_t hash);
/// Whether some point of the plan ranks by attention itself, so that the dense pass has to keep it.
bool needs_attention(const SweepStep& step);

/// ids on the decoder's device.
at::Tensor to_tensor(const Decoder& decoder, std::span<const std::int64_t> ids);

} // namespace keepset
