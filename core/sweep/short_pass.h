#pragma once

#include "core/sweep/protocol.h"

namespace keepset {

/// Losses of a window's scored tokens where the model reads a text that begins with the last `short_context` tokens of
/// the context and goes on with the targets, positions from 0: what the rest of the context is worth to each token
/// (SEMANTICS 5). Where the window begins with a BOS, this text does too, and it counts. Whoever asks for it once a
/// window has it for all points. Returns (target - 1) float32, on a GPU on its way; undefined where the request has no
/// short pass. Throws Cancelled.
at::Tensor short_pass(const SweepStep& step, const Window& window, bool bos);

} // namespace keepset
