#pragma once

#include "core/run.h"
#include "core/sweep/plan.h"
#include "core/sweep/protocol.h"

#include <span>
#include <stop_token>
#include <vector>

/// What a sweep takes from files (SEMANTICS 4b, file).
namespace keepset {

/// Reads all of it, so that what is wrong is said before the first window and not after hours. Throws Error{input,
/// usage}, Cancelled.
OwnCounts check_given_files(const SweepRequest& request, std::span<const Window> windows, const DecoderConfig& config,
    const std::stop_token& stop);

} // namespace keepset
