#pragma once

#include "core/run.h"

#include <cstdint>
#include <span>
#include <vector>

/// What the mean loss of a window hides (SEMANTICS 5, beyond the mean): made of the losses of its tokens.
namespace keepset {

/// Percentiles of some values: numpy.percentile(values, (50, 95, 99)) with its default rule, to the last bit.
struct Percentiles {
    double p50 = not_a_number;
    double p95 = not_a_number;
    double p99 = not_a_number;
};
/// The q-th of n ascending values lies at position q / 100 · (n - 1), between two of them by linear interpolation. NaN
/// where a value is, and of none.
Percentiles percentiles(std::vector<double> values);

/// One point on one window.
struct BeyondMean {
    Percentiles delta; ///< of the tokens' ΔNLL to dense, nats
    Percentiles kl; ///< of the tokens' KL(dense ‖ point), nats
    double over_one_nat = not_a_number; ///< share of tokens with a ΔNLL above 1
    double key_nll = not_a_number; ///< mean ΔNLL of the key tokens; NaN where there are none
    double key_count = not_a_number; ///< NaN where none were looked for
    double near_nll = not_a_number; ///< mean ΔNLL of the targets 2-32 after the context; NaN where there are none
    double middle_nll = not_a_number; ///< 33-128
    double far_nll = not_a_number; ///< from 129 on
};

/// Losses of a point's tokens, each (target - 1), in the order of the text.
struct TokenLosses {
    std::span<const float> nll;
    std::span<const float> dense; ///< of the dense point
    std::span<const float> kl; ///< KL(dense ‖ point)
};
/// `key` (target - 1), or empty where key tokens are not looked for: 1 for each of them.
BeyondMean beyond_mean(const TokenLosses& losses, std::span<const std::uint8_t> key);

/// Which tokens are key: NLL_short - NLL_dense > gain and NLL_dense < loss, in float32 as LongPPL's find_key_token has
/// it (its α is `gain`, its -β `loss`). Both (target - 1) nats. Where a loss is not a number the token is none.
std::vector<std::uint8_t> key_tokens(
    std::span<const float> short_nll, std::span<const float> dense_nll, const KeyTokenRule& rule);

} // namespace keepset
