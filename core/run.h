#pragma once

#include "core/audit_report.h"
#include "core/choices.h"
#include "core/group.h"
#include "core/pins.h"
#include "core/policies.h"
#include "core/provenance.h"
#include "core/tokens.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A sweep: what is asked for, what was measured, and what was really done.
namespace keepset {

/// Every `count`-th window, from window `number` - 1 on: what one of several commands does of a sweep.
struct Shard {
    std::int64_t number = 1; ///< 1 … count
    std::int64_t count = 1;
    bool operator==(const Shard&) const = default;
    bool holds(std::int64_t window) const { return window % count == number - 1; }
};

/// Which targets need the context, as the dense model alone judges (SEMANTICS 5; LongPPL, arXiv 2410.23771).
struct KeyTokenRule {
    std::int64_t short_context = 64; ///< last context tokens that the short pass reads, a BOS included; 0: no such pass
    double gain = 2; ///< nats that the whole context must gain over them: NLL_short - NLL_dense is above it
    double loss = 2; ///< nats: NLL_dense is below it
    bool operator==(const KeyTokenRule&) const = default;
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
    Shard shard; ///< of the windows
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Positions positions = Positions::original;
    Rounding rounding = Rounding::floor;
    Sliding sliding = Sliding::keep;
    std::uint64_t seed = 0;
    std::int64_t offset = 0;
    std::vector<PinnedSpan> pins; ///< of the text, wherever they lie in the context of a window
    bool per_token = false;
    KeyTokenRule key_tokens;
    std::int64_t in_flight
        = 0; ///< windows at a time on a GPU; 0: as many as pay and have room. No number depends on it
    std::string out; ///< run file, written window by window; empty: none
    bool resume = false; ///< go on with the windows that `out` lacks
    std::optional<GroupPlace> group; ///< processes that share the windows; only rank 0 writes `out`
    bool force = false; ///< overwrite `out`
    std::string command; ///< provenance

    /// What becomes of sliding layers: token-drop drops tokens from all layers.
    Sliding sliding_of_protocol() const { return protocol == Protocol::token_drop ? Sliding::evict : sliding; }
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

/// A sweep, finished or under way, with what it really did beside its results, so that the audit can find it wrong
/// (SEMANTICS 8). Arrays by window have NaN, 0 or -1 (window_begin) where a window is not done. Those marked (later)
/// are empty where the run comes from a file of a version that had none. "Rows" are those of all layers and kv heads.
struct Run {
    Provenance provenance;
    Protocol protocol = Protocol::prefill_evict;
    Granularity granularity = Granularity::head;
    Importance importance = Importance::cumulative;
    GqaReduction gqa = GqaReduction::mean;
    Positions positions = Positions::original;
    Rounding rounding = Rounding::floor;
    Sliding sliding = Sliding::keep;
    std::int64_t evicting_layers = 0; ///< of `layers`, the others slide and keep everything; 0: all
    std::string pins; ///< SweepRequest::pins as parse_pins reads them
    std::vector<HashedFile> files; ///< (later) that the policies of the points read, each once
    std::int64_t context = 0;
    std::int64_t target = 0;
    std::int64_t offset = 0;
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t vocabulary = 0;
    /// Where all layers have sliding windows: how many of the context's last positions a target can see. 0: all.
    std::int64_t reach = 0;
    bool bos = false;
    double unigram_perplexity = not_a_number; ///< of all tokens read under their own frequencies, BOS included
    KeyTokenRule key_tokens;
    std::int64_t windows = 0; ///< asked for, by all shards together
    Shard shard; ///< that this run does
    std::vector<std::uint8_t> done; ///< (windows): 1 where a window is done, whatever its losses came out as
    std::vector<SweepPoint> points; ///< dense first; what refresh_points makes of the arrays below

    // (points, windows): what came out.
    std::vector<double> window_nll; ///< sum over the window's scored tokens, nats
    std::vector<double> window_kl; ///< (later) KL(dense ‖ method), nats, mean over the window's scored tokens
    std::vector<double> window_top1; ///< (later) share of the window's scored tokens
    std::vector<double> window_kept_mass; ///< (later) share of the attention mass
    std::vector<double> window_seconds; ///< (later) the point's share of the window's target pass
    std::vector<float> token_nll; ///< (points, windows, target - 1), or empty: not kept
    // (later) Beyond the mean: of the ΔNLL and KL to dense of the window's scored tokens, nats.
    std::vector<double> window_delta_p50;
    std::vector<double> window_delta_p95;
    std::vector<double> window_delta_p99;
    std::vector<double> window_kl_p50;
    std::vector<double> window_kl_p95;
    std::vector<double> window_kl_p99;
    std::vector<double> window_over_one_nat; ///< share of tokens with a ΔNLL above 1
    std::vector<double> window_key_nll; ///< mean ΔNLL over the window's key tokens; NaN where it has none
    std::vector<double> window_key_count; ///< the same for all points; NaN without a short pass
    std::vector<double> window_near_nll; ///< mean ΔNLL of the targets 2-32, of 33-128 and from 129 on; NaN: none there
    std::vector<double> window_middle_nll;
    std::vector<double> window_far_nll;

    // (points, windows): what was done.
    std::vector<std::uint64_t> keep_hash; ///< of the positions of all rows that were really put into the cache
    /// (later) Of the positions that the policy's definition keeps on the scores of the dense pass; points of one
    /// window are the same by definition where theirs are equal.
    std::vector<std::uint64_t> definition_hash;
    std::vector<std::uint64_t> selected_hash; ///< (later) of the positions that the policy chose
    std::vector<std::uint64_t> target_hash; ///< of the token ids that were scored
    std::vector<std::int64_t> kept_entries; ///< distinct ones in the cache
    std::vector<std::int64_t> budget_entries; ///< (later) what the budgets of all rows add up to
    // (later) Of the layers that evict: rows that kept position 0, the newest one; positions that no row kept.
    std::vector<std::int64_t> first_kept;
    std::vector<std::int64_t> last_kept;
    std::vector<std::int64_t> evicted_everywhere;
    std::vector<std::int64_t> tied_rows; ///< (later) rows where equal scores met at the cut
    /// (later) Rows whose scores lie so close together that rounding decides what they keep (core/flat_rows.h).
    std::vector<std::int64_t> flat_rows;

    // (windows): what was read, and what the dense pass gave.
    std::vector<std::uint64_t> read_hash; ///< (later) of the ids that the model read: context, targets but the last
    std::vector<std::uint64_t> text_read_hash; ///< (later) of the ids that stand there in the text
    std::vector<std::uint64_t> text_target_hash; ///< (later) the same of the ids to be scored
    std::vector<std::int64_t> window_begin; ///< (later) its first token of the text
    std::vector<double> mass_error; ///< largest |Σ A - C| / C over layers and heads
    std::vector<double> last_key_importance; ///< largest A[C-1]; causal attention keeps it ≤ 1
    std::vector<double> least_importance; ///< (later) smallest A
    std::vector<double> most_of_visible; ///< (later) largest A[j] / number of queries that see j
    std::vector<double> first_token_mass; ///< (later) share of the attention mass at position 0
    std::vector<double> largest_hidden; ///< (later) largest magnitude of a hidden state after the last layer
    std::vector<float> short_nll; ///< (windows, target - 1) of the short pass; empty where token_nll is, or without one
    Perturbation context_change; ///< of a context token: the logits of the dense pass
    Perturbation target_change; ///< of a target token: the scored rows of the protocol
    AuditReport audit;

    bool finished() const;
    std::int64_t windows_done() const;
    std::int64_t windows_of_shard() const;
    /// Layers that evict, and their rows.
    std::int64_t layers_that_evict() const { return evicting_layers > 0 ? evicting_layers : layers; }
    std::int64_t evicting_rows() const { return layers_that_evict() * kv_heads; }
    /// Whether key tokens are looked for: there is a short pass, and it reads less than the context.
    bool has_short_pass() const { return key_tokens.short_context > 0 && key_tokens.short_context < context; }
};

using SweepFn = std::function<void(std::shared_ptr<const Run>)>; ///< a snapshot after every window

/// Whether a window is done: its flag in Run::done, whatever its losses came out as.
bool window_done(const Run& run, std::int64_t window);
/// The windows that are done, ascending.
std::vector<std::int64_t> done_windows(const Run& run);
/// Losses that are scored in a window.
std::int64_t scored_in_window(const Run& run);
/// Sum of the losses of one point in one window.
double window_loss(const Run& run, std::size_t point, std::int64_t window);
/// Sum of ΔNLL over the key tokens of one point in one window, 0 where it has none. The run has window_key_count.
double sum_over_key_tokens(const Run& run, std::size_t point, std::int64_t window);

/// Makes all of run.points but policy, sparsity and budget from the arrays of the windows that are done. Of a run that
/// lacks window_kl and its like kl, top1_agreement, kept_mass and seconds stay.
void refresh_points(Run& run);

} // namespace keepset
