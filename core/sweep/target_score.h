#pragma once

#include "core/model/decoder.h"
#include "core/types.h"

#include <stop_token>
#include <vector>

namespace keepset {

/// How a point did on the scored targets of one window.
struct TargetScore {
    std::vector<float> token_nll; ///< (target - 1) nats
    double nll_sum = 0;
    double kl_sum = 0; ///< KL(dense ‖ point), nats
    std::int64_t top1_agreements = 0;
};

/// Scores target rows of one window against the dense model's distribution at the same rows. The language-model head
/// runs in blocks of at most 128 rows: all points at once would be gigabytes of logits.
class TargetScorer {
public:
    /// targets (rows) int64: the token ids to be predicted; dense_hidden (rows, hidden): what dense attention gives
    /// there.
    TargetScorer(
        const Decoder& decoder, at::Tensor targets, const at::Tensor& dense_hidden, const std::stop_token& stop);

    /// hidden (rows, hidden) of a point. NLL from float32 logits, natural log. Throws Cancelled.
    TargetScore score(const at::Tensor& hidden, const std::stop_token& stop) const;

private:
    /// Of a block of rows, each (rows): log-sum-exp of the logits, their mean under the dense distribution, the top
    /// token.
    struct Rows {
        at::Tensor lse;
        at::Tensor expected_logit;
        at::Tensor top;
    };
    Rows rows_of(const at::Tensor& logits, std::int64_t begin) const;

    const Decoder& decoder_;
    at::Tensor targets_; // (rows)
    at::Tensor dense_probability_; // (rows, vocabulary)
    at::Tensor dense_negentropy_; // (rows): Σ p log p
    at::Tensor dense_top_; // (rows)
};

} // namespace keepset
