#pragma once

#include "core/error.h"
#include "core/types.h"

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The façade of core. Engine holds a model and does what needs one; the free functions work on results alone,
/// so that a trace or a run opens without a model and without Torch being touched.
namespace keepset {

/// Version and commit of this build ("0.1.0", "1a2b3c4" or "unknown").
std::string version();
std::string commit();

/// Holds one open model. Not thread-safe: one thread owns it. Every function throws Error; long ones throw Cancelled.
class Engine {
public:
    Engine();
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Reads config, tokenizer and weights of a Hugging Face folder onto a device. The model open before stays when
    /// this throws.
    ModelInfo open_model(const std::filesystem::path& folder, const OpenOptions& options, const Task& task = {});
    /// The open model, if any.
    std::optional<ModelInfo> model() const;
    /// All tokens of a text, with the BOS in front where the tokenizer adds one, and nothing behind: what is scored
    /// ends where the user's text ends.
    std::vector<Token> tokenize(const Text& text, const Task& task = {}) const;
    /// What a user should know about a text before its numbers are compared with others: sentences, often none.
    std::vector<std::string> text_notes(const Text& text) const;
    // Of the next three the result's model_sha256 may be empty still: know_weights waits for it.
    /// Log-probabilities at the last `last` positions (0: all) of the text, natural log, from float32 logits.
    LogitsResult logits(const Text& text, std::int64_t last, std::int64_t offset = 0, const Task& task = {});
    /// The attention pass: cumulative importance of every token per layer and query head (SEMANTICS 2). The result's
    /// audit includes the causality check by perturbation.
    std::shared_ptr<Analysis> analyse(const AnalysisRequest& request, const Task& task = {});
    /// Perplexity under eviction (SEMANTICS 5). `on_window` gets a snapshot after every window, whose results are then
    /// on disk where `request.out` is set. Cancelled: everything finished is kept in the file.
    std::shared_ptr<const Run> sweep(const SweepRequest& request, const Task& task = {}, const SweepFn& on_window = {});

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// ---- without a model -----------------------------------------------------------------------------------------

/// The folder of the model that a user means: a model folder itself, or of the root of a model in a Hugging Face cache
/// (models--owner--name) the snapshot that refs/main names, or the only one. Throws Error{input} that says what is
/// there instead: an adapter, a GGUF file, nothing, … Whatever takes a model folder here goes through it.
std::filesystem::path model_folder(const std::filesystem::path& given);
/// Architecture and sizes of a folder from its headers alone; no weight is read.
ModelInfo describe_model(const std::filesystem::path& folder);
/// A text as the tokenizers library gives it.
struct TokenizedText {
    std::vector<Token> tokens; ///< with what a template puts before the text and behind it
    std::vector<std::string> notes; ///< as Engine::text_notes
};
/// Tokens of a text by a folder's tokenizer.json alone.
TokenizedText tokenize(const std::filesystem::path& folder, const Text& text, const Task& task = {});
/// Fills in model_sha256 where a result came before the hash of its model's weights; waits for it, for minutes where
/// the weights are very large. Throws Cancelled.
void know_weights(Provenance& provenance, const Task& task = {});
/// Reads a text file ("-": standard input). Throws Error{input}: missing, a directory, unreadable, invalid UTF-8
/// (offset named).
Text read_text(const std::string& path);
/// Model folders in the user's Hugging Face cache (HF_HUB_CACHE, HF_HOME, ~/.cache/huggingface/hub) that look loadable.
std::vector<std::filesystem::path> cached_models();
/// Devices that can be asked for: "cpu" and every "cuda:N" with its name. Loads the CUDA module.
std::vector<std::pair<std::string, std::string>> devices();

/// Every policy there is (SEMANTICS 4), in table order.
std::span<const PolicyInfo> policies();
/// "cab(local=0.3)" → spec, names and values checked. Throws Error{usage}.
PolicySpec parse_policy(std::string_view text);
/// "h2o,cab(bridge=median,local=0.3)" → specs; commas inside parentheses do not split.
std::vector<PolicySpec> parse_policies(std::string_view text);
/// The one spelling of a policy in files: parameters that differ from the default, in table order.
std::string canonical(const PolicySpec& policy);
/// For people: "H2O", "CAB", "H2O (local 0.3)".
std::string title(const PolicySpec& policy);
/// "0,0.5,0.9" or "0:0.9:0.1" (both ends included) → ascending distinct shares in [0, 1). Throws Error{usage}.
std::vector<double> parse_sparsities(std::string_view text);
/// Whether a policy ranks by attention itself, so that an analysis for it has to keep_attention. Throws Error{usage}.
bool needs_attention(const PolicySpec& policy);
/// k entries kept of `context` at `sparsity` (SEMANTICS 3).
std::int64_t budget_of(double sparsity, std::int64_t context, Rounding rounding = Rounding::floor);

/// Labelled keep sets of every layer and kv head, on `threads` CPU threads (0: all cores). Takes long where the policy
/// needs_attention: then `task` is told after every row and ends it with Cancelled; select_row's `stop` does the same.
/// Throws Error{usage} where such a policy has no attention to go by.
KeepSet select(const Analysis& analysis, const SelectRequest& request, int threads = 0, const Task& task = {});
/// The same for several, whose scores are made once where they are the same; `task` is told of keep sets, too.
std::vector<KeepSet> select(
    const Analysis& analysis, std::span<const SelectRequest> requests, int threads = 0, const Task& task = {});
/// Scores of what a view looks at. Throws Error{usage} where the scope is outside the model.
RowScores row_scores(const Analysis& analysis, const Scope& scope, Importance importance, GqaReduction gqa);
/// Importance of every query head of a layer: (heads, context). Throws Error{usage} where the layer is outside the
/// model.
std::vector<float> head_importance(const Analysis& analysis, std::int64_t layer, Importance importance);
/// One policy on one row; `request.granularity`, `importance` and `gqa` are those of `row` and not looked at.
RowSelection select_row(const RowScores& row, const SelectRequest& request, const std::stop_token& stop = {});
/// Why position `position` has its label.
Explanation explain(
    const RowScores& row, const RowSelection& selection, const SelectRequest& request, std::int64_t position);
/// |A ∩ B| / |A ∪ B| of two keep sets of one row (labels (context) each; evicted is outside the set).
double jaccard(std::span<const Label> a, std::span<const Label> b);

// ---- P itself, of an analysis that keeps what it is made from (AnalysisRequest::keep_attention) --------------------

/// What a cell of an attention map shows of its positions: the largest probability or their mean.
enum class CellReduction : std::uint8_t { max, mean };

/// Which part of P to look at, and at how many cells most.
struct AttentionMapRequest {
    std::int64_t layer = 0;
    std::int64_t head = 0; ///< query head
    std::int64_t query_begin = 0; ///< positions [query_begin, query_end) of the context
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0;
    std::int64_t key_end = 0;
    std::int64_t most_rows = 1024; ///< of cells; fewer where there are fewer queries
    std::int64_t most_columns = 1024;
    CellReduction reduction = CellReduction::max;
    bool operator==(const AttentionMapRequest&) const = default;
};

/// P of one layer and query head, query × key, reduced over cells. Cell row r holds the queries from query_begin +
/// r·queries/rows (whole numbers) up to where the next row begins; columns and keys alike.
struct AttentionMap {
    AttentionMapRequest request;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<float> cells; ///< (rows, columns); a mean counts hidden positions as 0; -1: all positions are hidden
};

/// A cell of a map, the positions it covers and what it shows of them.
struct AttentionCell {
    std::int64_t row = 0;
    std::int64_t column = 0;
    std::int64_t query_begin = 0; ///< queries [query_begin, query_end)
    std::int64_t query_end = 0;
    std::int64_t key_begin = 0; ///< keys [key_begin, key_end)
    std::int64_t key_end = 0;
    float value = 0; ///< -1: hidden
};

/// P of one layer and query head over a range of queries × keys, recomputed from what the analysis keeps of its pass.
/// Throws Error{usage} where it keeps nothing or the request is outside of it, Cancelled.
AttentionMap attention_map(const Analysis& analysis, const AttentionMapRequest& request, const Task& task = {});
/// The cell of a map that a query and a key lie in; nothing outside of what was asked for.
std::optional<AttentionCell> cell_at(const AttentionMap& map, std::int64_t query, std::int64_t key);

// ---- runs, audits, files --------------------------------------------------------------------------------------

/// Policies of a run in the order of its points, canonical spelling.
std::vector<std::string> methods(const Run& run);
/// ΔNLL per token of every point of every other method to `reference` at the same sparsity (the dense point where
/// reference is "dense").
std::vector<PairedDifference> paired_differences(const Run& run, const std::string& reference);
/// What may be said about `reference` against every other method, in sentences; names the missing control (SEMANTICS
/// 4).
std::vector<Finding> findings(const Run& run, const std::string& reference);

/// Gives an analysis more keep sets and audits it anew, so that what is saved speaks of what it holds.
void add_keep_sets(Analysis& analysis, std::vector<KeepSet> sets);
/// SEMANTICS 8 on a result or on a table from elsewhere. A file of an earlier version may lack what a check needs,
/// which the check then says.
AuditReport audit(const Analysis& analysis);
AuditReport audit(const Run& run);
AuditReport audit(const ImportedTable& table);
/// Reads a CSV with columns method (or policy), sparsity, perplexity (INTERFACES 1). Throws Error{input} with the line.
ImportedTable import_table(const std::filesystem::path& file);
/// The points of a run as CSV, columns of /sweep/points, RFC 4180, full double precision.
std::string to_csv(const Run& run);

/// What a .h5 file holds, without its arrays.
struct FileSummary {
    std::string kind; ///< "trace" or "run"
    std::string format_version;
    Provenance provenance;
};
FileSummary summary(const std::filesystem::path& file);
/// Writes and reads a trace (importance, lse, keep sets, audit) by INTERFACES 2. An existing file needs `force`. Where
/// model_sha256 is not known yet it is waited for: see know_weights. Cancelled: nothing is written.
void save(const Analysis& analysis, const std::filesystem::path& file, bool force, const Task& task = {});
void save(const LogitsResult& logits, const std::filesystem::path& file, bool force, const Task& task = {});
std::shared_ptr<const Analysis> load_analysis(const std::filesystem::path& file);
/// Writes a finished or partial run; reads one, also while another process writes it or after its writer was killed.
void save(const Run& run, const std::filesystem::path& file, bool force);
std::shared_ptr<const Run> load_run(const std::filesystem::path& file);

} // namespace keepset
