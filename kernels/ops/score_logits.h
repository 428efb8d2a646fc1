#pragma once

#include "kernels/shapes.h"

#include <cstdint>

namespace keepset::kernels {

/// Logits of the same target rows for several points: row `point · targets + target`.
struct LogitInputs {
    ElementType type = ElementType::float32; ///< of the logits
    const void* logits = nullptr; ///< (points · targets, vocabulary) contiguous
    std::int64_t points = 0;
    std::int64_t targets = 0;
    std::int64_t vocabulary = 0; ///< below 2^31
    const std::int64_t* wanted = nullptr; ///< (targets): the token ids that are scored
    const float* dense = nullptr; ///< (targets, vocabulary): the dense model's probabilities, or nullptr: not there yet
};

/// What is wanted of every row, each (points, targets).
struct LogitScores {
    float* lse = nullptr; ///< natural log-sum-exp of the logits
    float* nll = nullptr; ///< lse less the wanted token's logit; nats
    double* cross = nullptr; ///< Σ_v p_dense(v) ln p(v): its negative is the cross entropy. NaN without `dense`
    std::int32_t* top = nullptr; ///< the most probable token, the first where several are; -1 where a logit is NaN
};

/// Reads every logit once, sums in double. Not finite logits make lse, nll and cross not finite, never a number.
/// The reference, on one thread; float32 logits only.
void score_logits_reference(const LogitInputs& inputs, const LogitScores& scores);

} // namespace keepset::kernels
