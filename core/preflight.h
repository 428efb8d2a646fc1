#pragma once

#include "core/model_info.h"
#include "core/run.h"

#include <filesystem>
#include <string>
#include <vector>

/// What can be told or refused before a model is read: a wrong setting must not cost minutes.
namespace keepset {

/// What a model needs on a device for an analysis or a sweep of some context, and what is free there; all in bytes.
struct MemoryNeed {
    std::string device; ///< "cpu", "cuda:0"
    std::string device_name;
    std::string dtype; ///< computed in
    std::int64_t context = 0;
    std::int64_t weights = 0;
    std::int64_t cache = 0; ///< keys and values of the context
    std::int64_t work = 0; ///< hidden states, projections, importance, logits: an estimate
    std::int64_t attention = 0; ///< queries and keys kept to recompute P from; 0: not asked for
    std::int64_t free = -1; ///< on the device now; -1: cannot be told
    std::int64_t total = -1;
    bool loaded = false; ///< the weights are on the device already, so that `free` is without them

    std::int64_t needed() const { return (loaded ? 0 : weights) + cache + work + attention; }
    bool fits() const { return free < 0 || needed() <= free; }
};

/// What an analysis or a sweep of `context` tokens (0: all the model allows) takes on the device of `options`, and what
/// is free there, before any weight is read. Throws Error{device, usage}.
MemoryNeed memory_need(const ModelInfo& info, const OpenOptions& options, std::int64_t context);
/// The same from a folder's headers.
MemoryNeed memory_need(const std::filesystem::path& folder, const OpenOptions& options, std::int64_t context);
/// The need in words, with the numbers, and whether it fits.
std::string sentence(const MemoryNeed& need);

/// Throws Error{usage} where the settings of a sweep contradict one another, which is known without model and text: no
/// points, sparsities outside [0, 1), budgets above the context, too small windows, what token-drop cannot have.
void check_request(const SweepRequest& request);

/// Throws Error{usage} where importance by the last queries sums over more of them than a context has.
void refuse_long_window(const Importance& importance, std::int64_t context);

/// How many windows of a sweep's sizes and offset a text of so many tokens has; `bos`: one of them is a BOS, which
/// every window begins with.
std::int64_t windows_in(const SweepRequest& request, std::int64_t tokens, bool bos);
/// What the user of a sweep of `windows` windows should know before it starts, a sentence each, often none: too few
/// windows for intervals, a control that is missing (SEMANTICS 4).
std::vector<std::string> advice(const SweepRequest& request, std::int64_t windows);

/// Throws unless `file` may become a result: Error{usage} where it exists and `force` is not set (`hint` says what to
/// do), Error{input} where it is a folder or a device, or its folder is missing.
void check_output(const std::filesystem::path& file, bool force, const std::string& hint);

} // namespace keepset
