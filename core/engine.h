#pragma once

#include "core/analysis.h"
#include "core/attention_map.h"
#include "core/audit.h"
#include "core/choices.h"
#include "core/error.h"
#include "core/findings.h"
#include "core/model_info.h"
#include "core/policies.h"
#include "core/provenance.h"
#include "core/result_files.h"
#include "core/run.h"
#include "core/selection.h"
#include "core/task.h"
#include "core/tokens.h"
#include "core/version.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The façade of core: an Engine holds a model and does what needs one. What works on results alone stands in the
/// headers above, a subject each, so that a trace or a run opens without a model and without Torch being touched.
namespace keepset {

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
    /// on disk where `request.out` is set. Cancelled: everything finished is kept in the file. Of a group only
    /// rank 0 gets the run, the others nothing.
    std::shared_ptr<const Run> sweep(const SweepRequest& request, const Task& task = {}, const SweepFn& on_window = {});

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace keepset
