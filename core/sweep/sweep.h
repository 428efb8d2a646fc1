#pragma once

#include "core/run.h"
#include "core/sweep/protocol.h"

namespace keepset {

/// What a sweep takes from the open model besides its decoder.
struct SweepModel {
    const Decoder& decoder;
    const Backend& backend;
    Provenance provenance;
    std::vector<Token> tokens; ///< the whole text's
    bool bos = false;
    std::int64_t max_context = 0;
    SweepFaults faults {}; ///< of tests
    policy::EncodeFn encode = {}; ///< of the model's tokenizer, without special tokens
};

/// Window by window: dense pass once, every point, then file, statistics and a snapshot. See Engine::sweep; nothing in
/// a rank of a group but 0.
std::shared_ptr<const Run> run_sweep(
    const SweepModel& model, const SweepRequest& request, const Task& task, const SweepFn& on_window);

} // namespace keepset
