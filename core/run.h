#pragma once

#include "core/audit_report.h"
#include "core/choices.h"
#include "core/policies.h"
#include "core/provenance.h"
#include "core/tokens.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// A sweep: what is asked for, what was measured, and what was really done.
namespace keepset {

/// What a sweep really did, beside its results, so that the audit can find it wrong (SEMANTICS 8). An array is empty
/// where the run comes from a file that lacks it. "Rows" are those of all layers and kv heads.
struct RunEvidence {
    std::vector<std::uint64_t> selected_hash; ///< (points, windows): of the positions that the policy chose
    std::vector<std::int64_t> first_kept; ///< (points, windows): rows that kept position 0
    std::vector<std::int64_t> tied_rows; ///< (points, windows): rows where equal scores met at the cut
    std::vector<std::uint64_t> read_hash; ///< (windows): of the ids that the model read: context, targets but the last
    std::vector<std::uint64_t> text_read_hash; ///< (windows): of the ids that stand there in the text
    std::vector<std::uint64_t> text_target_hash; ///< (windows): the same of the ids to be scored
    std::vector<std::int64_t> window_begin; ///< (windows): its first token of the text; -1 until it is done
    std::vector<double> least_importance; ///< (windows): smallest A
    std::vector<double> most_of_visible; ///< (windows): largest A[j] / number of queries that see j
    std::vector<double> first_token_mass; ///< (windows): share of the attention mass at position 0
    std::vector<double> largest_hidden; ///< (windows): largest magnitude of a hidden state after the last layer
    Perturbation context_change; ///< of a context token: the logits of the dense pass
    Perturbation target_change; ///< of a target token: the scored rows of the protocol
};

struct SweepRequest {
    Text text;
    std::vector<PolicySpec> policies; ///< dense is added where it is missing: everything is measured against it
    std::vector<double> sparsities;
    std::vector<std::int64_t> budgets; ///< instead of sparsities
    Protocol protocol = Protocol::prefill_evict;
    std::int64_t context = 1024;
    std::int64_t target = 256;
    std::int64_t windows = 0; ///< 0: all
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Positions positions = Positions::original;
    Rounding rounding = Rounding::floor;
    std::uint64_t seed = 0;
    std::int64_t offset = 0;
    bool per_token = false;
    std::string out; ///< run file, written window by window; empty: none
    bool resume = false; ///< go on with the windows that `out` lacks
    bool force = false; ///< overwrite `out`
    std::string command; ///< provenance
};

/// One row of /sweep/points: a policy at a sparsity, over the windows done so far.
struct SweepPoint {
    std::string policy; ///< canonical spelling
    double sparsity = 0;
    std::int64_t budget = 0;
    std::int64_t windows = 0; ///< done
    std::int64_t scored_tokens = 0;
    double nll_sum = 0;
    double perplexity = not_a_number;
    double ci_low = not_a_number; ///< 95%, Student's t over window means, mapped by exp; NaN below 5 windows
    double ci_high = not_a_number;
    double kl = not_a_number; ///< KL(dense ‖ method), nats, mean over scored tokens
    double top1_agreement = not_a_number; ///< share of scored tokens
    double kept_mass = not_a_number;
    double seconds = 0;
};

/// A sweep, finished or under way. window-wise arrays have NaN (or 0) where a window is not done.
struct Run {
    Provenance provenance;
    Protocol protocol = Protocol::prefill_evict;
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Positions positions = Positions::original;
    Rounding rounding = Rounding::floor;
    std::int64_t context = 0;
    std::int64_t target = 0;
    std::int64_t offset = 0;
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t vocabulary = 0;
    bool bos = false;
    double unigram_perplexity = not_a_number; ///< of all tokens read under their own frequencies, BOS included
    std::int64_t windows = 0; ///< asked for
    std::vector<std::uint8_t> done; ///< (windows): 1 where a window is done, whatever its losses came out as
    std::vector<SweepPoint> points; ///< dense first
    std::vector<double> window_nll; ///< (points, windows): sum over the window's scored tokens
    std::vector<float> token_nll; ///< (points, windows, target - 1), or empty
    /// (points, windows): of the positions of all rows that were really put into the cache; 0 where not done
    std::vector<std::uint64_t> keep_hash;
    /// (points, windows): of the positions that the policy's definition keeps on the scores of the dense pass; points
    /// of one window are the same by definition where theirs are equal. 0 where not done; empty: not known.
    std::vector<std::uint64_t> definition_hash;
    std::vector<std::int64_t> kept_entries; ///< (points, windows): distinct ones in the cache, all layers and kv heads
    std::vector<std::uint64_t> target_hash; ///< (points, windows): of the token ids that were scored
    std::vector<double> mass_error; ///< (windows): largest |Σ A - C| / C over layers and heads
    std::vector<double> last_key_importance; ///< (windows): largest A[C-1]; causal attention keeps it ≤ 1
    RunEvidence evidence;
    AuditReport audit;
    bool finished() const;
    std::int64_t windows_done() const;
};

using SweepFn = std::function<void(std::shared_ptr<const Run>)>; ///< a snapshot after every window

/// Whether a window is done: its flag in Run::done, whatever its losses came out as.
bool window_done(const Run& run, std::int64_t window);

} // namespace keepset
