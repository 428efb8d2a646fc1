#pragma once

#include "core/audit_report.h"
#include "core/provenance.h"
#include "core/selection.h"
#include "core/tokens.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Importance of every token of a text, and what is selected by it.
namespace keepset {

struct AnalysisRequest {
    Text text;
    std::int64_t context = 0; ///< 0: the whole text after offset, up to what the model allows
    std::int64_t offset = 0; ///< tokens of the text skipped
    bool keep_attention = false; ///< keep queries and keys, so that P can be recomputed, where there is room for them
    /// That will select: scores of their own are made for them, and a context that one cannot take is refused.
    std::vector<PolicySpec> policies;
    /// That will be ranked by: one by the last queries is made along, where the context has as many.
    Importance importance = Importance::cumulative;
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
    /// (layers): positions that a query sees in a sliding layer, its own among them; 0: every earlier one. Empty where
    /// no layer slides.
    std::vector<std::int64_t> windows;
    bool bos = false; ///< tokens[0] is a BOS put in front
    std::vector<Token> tokens; ///< (context)
    std::vector<float> importance; ///< (layers, heads, context): cumulative, SEMANTICS 2
    /// (layers, heads, context) each: importance by the last queries, of the mode asked for or those of a file.
    std::map<Importance, std::shared_ptr<const std::vector<float>>> by_last_queries;
    std::map<std::string, std::vector<float>>
        own_scores; ///< (layers, kv_heads, context) each: those of the policies asked for (SEMANTICS 4b), by scores_of
    /// Why a policy asked for has no score of its own here, an Error's words and hint, by scores_of.
    std::map<std::string, std::pair<std::string, std::string>> no_scores;
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

/// Labelled keep sets of every layer and kv head, on `threads` CPU threads (0: all cores). Takes long where the policy
/// needs_attention: then `task` is told after every row and ends it with Cancelled; select_row's `stop` does the same.
/// Throws Error{usage} where such a policy has no attention to go by, or has_importance does not hold.
KeepSet select(const Analysis& analysis, const SelectRequest& request, int threads = 0, const Task& task = {});
/// The same for several, whose scores are made once where they are the same; `task` is told of keep sets, too.
std::vector<KeepSet> select(
    const Analysis& analysis, std::span<const SelectRequest> requests, int threads = 0, const Task& task = {});
/// Whether an analysis holds the importance of a mode, so that it can be ranked by and shown at once. What follows from
/// cumulative importance always is.
bool has_importance(const Analysis& analysis, const Importance& importance);
/// Why it is not there and cannot be made: an Error's words and hint; empty where it is there or can be made.
std::pair<std::string, std::string> no_importance(const Analysis& analysis, const Importance& importance);
/// Importance by the last queries, (layers, heads, context); null where the analysis holds none of this mode, or the
/// mode is not one by the last queries. It stays there as long as it is held.
std::shared_ptr<const std::vector<float>> find_importance(const Analysis& analysis, const Importance& importance);
/// Makes it from the queries and keys kept, where it is not there; it stays at least until that of another mode is
/// made. `task` is told of layers. Throws Error{usage} with the words of no_importance, Cancelled.
void make_importance(const Analysis& analysis, const Importance& importance, const Task& task = {});
/// Scores of what a view looks at; the whole model's mean is that of the layers that evict. Throws Error{usage} where
/// the scope is outside the model, no layer evicts, or has_importance does not hold.
RowScores row_scores(const Analysis& analysis, const Scope& scope, const Importance& importance, GqaReduction gqa,
    Sliding sliding = Sliding::keep);
/// Layers that evict (SEMANTICS 3); none where all slide and keep what they have.
std::int64_t layers_that_evict(const Analysis& analysis, Sliding sliding);
/// Gives a row of one kv head what select_row needs of others where `policy` shares its budget among them (SEMANTICS
/// 4c); does nothing for other rows and policies, or where it is there.
void add_shared_rows(const Analysis& analysis, const PolicySpec& policy, RowScores& row);
/// Reads for a row of an analysis what a policy takes from a file, where it takes something and the row has it not yet;
/// with what add_shared_rows would give it. Throws Error{input, usage}: see KeepFile.
void read_given(const Analysis& analysis, const PolicySpec& policy, RowScores& row);
/// Importance of every query head of a layer: (heads, context). Throws Error{usage} where the layer is outside the
/// model, or has_importance does not hold.
std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, const Importance& importance);

/// Gives an analysis more keep sets and audits it anew, so that what is saved speaks of what it holds.
void add_keep_sets(Analysis& analysis, std::vector<KeepSet> sets);

} // namespace keepset
