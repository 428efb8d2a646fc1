#pragma once

#include "core/audit_types.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Plain value structs: what goes into the engine and what comes out. Results are complete when they leave it.
namespace keepset {

// ---- choices -------------------------------------------------------------------------------------------------

enum class Dtype : std::uint8_t { automatic, float32, bfloat16, float16 };
enum class Importance : std::uint8_t { cumulative, mean_received };
enum class Granularity : std::uint8_t { head, layer, model };
enum class GqaReduction : std::uint8_t { mean, max, sum };
enum class Protocol : std::uint8_t { prefill_evict, token_drop };
enum class Positions : std::uint8_t { original, repacked };
enum class Rounding : std::uint8_t { floor, kvpress };

/// Role of a context position in a keep set; the values are those of /keep/<n>/label (INTERFACES 2).
enum class Label : std::uint8_t { evicted, kept, local, important, bridge, sink };
inline constexpr std::size_t label_count = 6;

// Names as the command line and the files spell them ("mean-received", "prefill-evict", …).
// from_name throws Error{usage} with the list of known names; a known name that is not built yet is refused as such.
std::string name_of(Dtype value);
std::string name_of(Importance value);
std::string name_of(Granularity value);
std::string name_of(GqaReduction value);
std::string name_of(Protocol value);
std::string name_of(Positions value);
std::string name_of(Rounding value);
std::string name_of(Label value);
void from_name(const std::string& name, Dtype& value);
void from_name(const std::string& name, Importance& value);
void from_name(const std::string& name, Granularity& value);
void from_name(const std::string& name, GqaReduction& value);
void from_name(const std::string& name, Protocol& value);
void from_name(const std::string& name, Positions& value);
void from_name(const std::string& name, Rounding& value);

// ---- long work -----------------------------------------------------------------------------------------------

/// Where long work stands. `stage` is a phrase in the gerund ("analysing", "reading weights").
struct Progress {
    std::string stage;
    std::string unit; ///< of done and total: "layers", "windows", …
    std::int64_t done = 0;
    std::int64_t total = 0; ///< 0: unknown
    double elapsed_s = 0;
    double left_s = not_a_number; ///< NaN: unknown
};
using ProgressFn = std::function<void(const Progress&)>; ///< called on the thread that does the work

/// How a caller follows and stops long work. Stopped work throws Cancelled within a fifth of a second.
struct Task {
    std::stop_token stop;
    ProgressFn progress; ///< may be empty
};

// ---- model and text ------------------------------------------------------------------------------------------

struct OpenOptions {
    std::string device = "auto"; ///< auto, cpu, cuda, cuda:1
    Dtype dtype = Dtype::automatic; ///< automatic: float32 on the CPU, the checkpoint's on CUDA
    int threads = 0; ///< 0: all cores
};

struct ModelInfo {
    std::string path; ///< the folder
    std::string name; ///< the folder's name
    std::string architecture; ///< config.json's architectures[0]
    std::string model_type;
    std::int64_t layers = 0;
    std::int64_t heads = 0; ///< query heads
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t hidden_size = 0;
    std::int64_t intermediate_size = 0;
    std::int64_t vocabulary = 0;
    std::int64_t max_context = 0; ///< max_position_embeddings
    bool endless = false; ///< texts may be longer than max_context
    bool tied_embeddings = false;
    std::string positions; ///< "rotary", "learned", "alibi"
    std::int64_t experts = 0; ///< of a layer that mixes them; 0: none does
    std::int64_t experts_per_token = 0;
    std::int64_t window = 0; ///< positions that a query of a sliding layer sees; 0: there is no sliding layer
    std::int64_t sliding_layers = 0;
    std::string checkpoint_dtype; ///< as stored
    std::int64_t parameters = 0; ///< a tied embedding counted once
    std::int64_t bytes = 0; ///< of the weight files
    std::int64_t tokens_known = 0; ///< tokenizer's vocabulary with added tokens
    bool adds_bos = false; ///< the post-processor puts a BOS token first (SEMANTICS 5)
    std::string device; ///< where it was opened: "cpu", "cuda:0"; empty when only described
    std::string device_name; ///< "CPU, 2 threads", "NVIDIA H200"
    std::string dtype; ///< computed in
    std::vector<std::string> notes; ///< what was noticed about tokenizer and weights, a sentence each
};

struct Text {
    std::string name; ///< file name, or "pasted"
    std::string bytes; ///< UTF-8, checked by the tokenizer
};

/// One token and the bytes of the user's text it stands for. A BOS that the tokenizer adds has begin == end.
struct Token {
    std::int32_t id = 0;
    std::int64_t byte_begin = 0;
    std::int64_t byte_end = 0;
    std::string
        text; ///< those bytes; U+FFFD where they are a piece of a character; "<s>"-like name where there are none
};

// ---- where a result comes from (root attributes of INTERFACES 2) ---------------------------------------------

class WeightsHash; ///< SHA-256 of a model's weights, made beside the work; opaque outside core

struct Provenance {
    std::string created; ///< ISO 8601, UTC
    std::string generator; ///< "keepset 0.1.0 (commit)"
    std::string model_name;
    std::string model_architecture;
    std::string model_sha256; ///< empty: not known yet
    std::shared_ptr<const WeightsHash> weights_hash; ///< that model_sha256 will come from; empty: from nowhere
    std::string tokenizer_sha256;
    std::string text_name;
    std::string text_sha256;
    std::string device;
    std::string dtype;
    std::uint64_t seed = 0;
    std::string command; ///< how to repeat it
};

// ---- policies ------------------------------------------------------------------------------------------------

/// A policy as asked for: its name and the parameters that were set. Missing ones have their defaults.
struct PolicySpec {
    std::string name;
    std::map<std::string, std::string> parameters;
    bool operator==(const PolicySpec&) const = default;
};

struct PolicyParameter {
    std::string name;
    std::string description;
    std::string default_value; ///< empty: taken from the request (the random policy's seed)
    std::vector<std::string> choices; ///< empty: a number in [minimum, maximum]
    double minimum = 0;
    double maximum = 1;
    bool whole = false; ///< a whole number
};

/// One line of the policy table, as forms and help show it.
struct PolicyInfo {
    std::string name;
    std::string title; ///< "H2O"
    std::string description; ///< one sentence
    std::vector<PolicyParameter> parameters;
    std::vector<Label> labels; ///< that it gives out, in the order of filling
    bool uses_importance = true;
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
    std::uint64_t seed = 0;
    std::int64_t window = 0; ///< enters the random policy's hash
};

/// Labels of every context position for every layer and kv head; shared keep sets are repeated.
struct KeepSet {
    SelectRequest request;
    std::string policy; ///< canonical spelling
    std::int64_t budget = 0; ///< k: entries kept in every row
    std::int64_t layers = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::vector<Label> labels; ///< (layers, kv_heads, context)
    double kept_mass = not_a_number; ///< share of attention mass kept, mean over layers and query heads (SEMANTICS 2)
};

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
    std::vector<float> scores; ///< (context): what policies see
    std::vector<double> mass; ///< (context): mean cumulative importance over the scope's query heads and layers
    std::shared_ptr<policy::BridgeSource> bridges = nullptr; ///< absent where the analysis has no attention
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
};

/// Why a token has its label under a policy.
struct Explanation {
    Label label = Label::evicted;
    double score = 0;
    std::int64_t rank = 0; ///< among all positions by score, from 1, ties by position
    double cut_off = not_a_number;
    std::string sentence;
};

// ---- audit ---------------------------------------------------------------------------------------------------

/// A results table from elsewhere: method, sparsity (share), perplexity.
struct ImportedTable {
    std::string name;
    struct Row {
        std::string method;
        double sparsity = 0;
        double perplexity = 0;
        std::int64_t budget = 0; ///< entries kept; 0: the table does not say
    };
    std::vector<Row> rows;
};

// ---- analysis ------------------------------------------------------------------------------------------------

struct AnalysisRequest {
    Text text;
    std::int64_t context = 0; ///< 0: the whole text after offset, up to what the model allows
    std::int64_t offset = 0; ///< tokens of the text skipped
    bool keep_attention = false; ///< keep queries and keys, so that P can be recomputed, where there is room for them
    std::vector<PolicySpec> policies; ///< that will select; a context too long for one is refused before the pass
    std::string command; ///< provenance
};

struct AttentionSource; ///< queries and keys of a pass on their device; opaque outside core

/// Importance of every token for every layer and query head. Immutable once made.
struct Analysis {
    Provenance provenance;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    std::int64_t offset = 0;
    bool bos = false; ///< tokens[0] is a BOS put in front
    std::vector<Token> tokens; ///< (context)
    std::vector<float> importance; ///< (layers, heads, context): cumulative, SEMANTICS 2
    std::vector<float> row_lse; ///< (layers, heads, context): natural log-sum-exp of every query's scores
    std::vector<KeepSet> keep_sets; ///< those saved with it; add_keep_sets keeps the audit true
    double largest_hidden = 0; ///< largest magnitude of a hidden state after the last layer; 0: not measured
    Perturbation perturbation; ///< of the logits of its first tokens
    AuditReport audit;
    double seconds = 0; ///< the attention pass
    std::shared_ptr<const AttentionSource> attention; ///< what P is recomputed from; empty where it was not kept
    std::shared_ptr<policy::BridgeSource>
        bridges; ///< made from `attention`, or says why there is none; empty where nobody asked
    std::string no_attention; ///< why `attention` is empty, a sentence; empty where nobody asked for it
    std::string text; ///< bytes of the user's text the tokens cover (from tokens[0] to the last), for showing
};

struct LogitsResult {
    Provenance provenance;
    std::int64_t positions = 0; ///< the last N of the text
    std::int64_t vocabulary = 0;
    std::vector<Token> tokens; ///< (positions): the tokens at those positions
    std::vector<float> log_prob; ///< (positions, vocabulary): normalised logits of the token AFTER each position
};

// ---- sweep ---------------------------------------------------------------------------------------------------

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

/// Difference of two points' NLL per token, paired by window (SEMANTICS 5).
struct PairedDifference {
    std::string policy;
    std::string reference;
    double sparsity = 0;
    double mean = not_a_number; ///< nats per token; above 0: `policy` is worse
    double low = not_a_number; ///< 95%; NaN below 5 windows
    double high = not_a_number;
    std::int64_t windows = 0;
    double p_value = not_a_number; ///< two-sided, of "no difference"; NaN where there is no interval
    bool stands = false; ///< excludes 0 also by Holm's correction over all comparisons made with the reference
    std::string undecided; ///< why there is no mean: whose losses are not finite in how many windows; empty: there is
};

/// "A beats B at s": only where the paired interval excludes 0, with what stands by Holm's correction over all
/// comparisons made, and with the control beside it.
struct Finding {
    std::string sentence;
    bool decided = false; ///< somebody is ahead somewhere
};

} // namespace keepset
