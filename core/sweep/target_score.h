#pragma once

#include "core/device/memory.h"
#include "core/model/decoder.h"
#include "core/types.h"

#include <stop_token>
#include <vector>

namespace keepset {

/// How a point did on the scored targets of one window.
struct TargetScore {
    std::vector<float> token_nll; ///< (target - 1) nats
    std::vector<float> row_lse; ///< (target - 1): log-sum-exp of the logits, which does not depend on what is scored
    double nll_sum = 0;
    double kl_sum = 0; ///< KL(dense ‖ point), nats
    double top1_agreements = 0; ///< rows whose most probable token is dense's; NaN where a row is not finite
    std::uint64_t target_hash = 0; ///< hash_of_ids of the ids that were scored
};

/// Scores target rows of one window against the dense model's distribution at the same rows. The language-model head
/// runs in blocks of at most 128 rows, and the dense distribution of at most `most_kept` rows is kept, that of others
/// made again: memory does not grow with the target.
class TargetScorer {
public:
    static constexpr std::int64_t block = logit_block;
    static constexpr std::int64_t most_kept = 2 * block; ///< rows whose dense distribution is kept
    static_assert(most_kept + 4 * block == logit_rows); // a block's own distribution, its logits and two temporaries

    /// targets (rows) int64: the token ids to be predicted; dense_hidden (rows, hidden): what dense attention gives
    /// there.
    TargetScorer(const Decoder& decoder, at::Tensor targets, at::Tensor dense_hidden, const std::stop_token& stop);

    /// Of several points, hidden (points, rows, hidden). NLL from float32 logits, natural log. A point whose hidden
    /// states are dense's has a divergence of exactly 0. Throws Cancelled.
    std::vector<TargetScore> score(const at::Tensor& hidden, const std::stop_token& stop) const;

private:
    /// The dense distribution of a block of rows.
    struct Dense {
        at::Tensor probability; // (block, vocabulary)
        at::Tensor negentropy; // (block): Σ p log p
        at::Tensor top; // (block): the most probable token
    };
    Dense dense_at(std::int64_t begin, const std::stop_token& stop) const;
    at::Tensor block_logits(const at::Tensor& hidden, std::int64_t begin, const std::stop_token& stop) const;

    const Decoder& decoder_;
    at::Tensor targets_; // (rows)
    at::Tensor dense_hidden_; // (rows, hidden)
    std::uint64_t hash_ = 0; // of targets_
    std::vector<Dense> kept_; // of the first blocks
};

} // namespace keepset
