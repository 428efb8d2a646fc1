#pragma once

#include "core/sweep/protocol.h"

/// Another token at one place must change nothing before it (SEMANTICS 8, causality). Tried on the first tokens of a
/// text, in passes of equal shapes: then earlier positions come out bit for bit alike in every dtype. A mixture of
/// experts goes row by row, because a changed token changes how many rows an expert gets, and with that the rounding of
/// all of them.
namespace keepset {

/// Logits of the first `ids` (at most 64) by the step's own dense pass, before and after the middle one is changed.
Perturbation try_context(const SweepStep& step, const Window& window);
/// The same by dense_pass, of an analysis.
Perturbation try_context(
    const Decoder& decoder, const Backend& backend, const std::vector<std::int64_t>& ids, const std::stop_token& stop);
/// Rows that the step's protocol scores (at most 15, dense and the first point that evicts) before and after a target
/// token in their middle is changed. Not tried where there are fewer than two rows.
Perturbation try_targets(const SweepStep& step, const Window& window);

} // namespace keepset
