#pragma once

#include "core/device/backend.h"
#include "core/device/memory.h"
#include "core/model/decoder.h"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace keepset {

/// How a point did on the scored targets of one window.
struct TargetScore {
    std::vector<float> token_nll; ///< (target - 1) nats
    std::vector<float> token_kl; ///< (target - 1): KL(dense ‖ point), nats
    std::vector<float> row_lse; ///< (target - 1): log-sum-exp of the logits, which does not depend on what is scored
    double nll_sum = 0;
    double kl_sum = 0; ///< KL(dense ‖ point), nats
    double top1_agreements = 0; ///< rows whose most probable token is dense's; NaN where a row is not finite
    std::uint64_t target_hash = 0; ///< hash_of_ids of the ids that were scored
};

/// Scores target rows of one window, of several points together, against the dense model's distribution at the same
/// rows. The language-model head runs in blocks of rows, and the dense distribution of at most `most_kept` rows is
/// kept, that of others made again: memory does not grow with the target.
class TargetScorer {
public:
    static constexpr std::int64_t block = logit_block; ///< target rows of a block at most
    static constexpr std::int64_t most_kept = 2 * block; ///< rows whose dense distribution is kept
    /// A block's logits, or twice as many in 16 bits on a GPU, and what making the dense distribution takes.
    static constexpr std::int64_t block_logits = 3 * block;
    static_assert(most_kept + block_logits + block == logit_rows);

    /// targets (rows) int64: the token ids to be predicted.
    TargetScorer(const Decoder& decoder, const Backend& backend, at::Tensor targets);

    /// Of several points, hidden (points, rows, hidden); the first point of the first call is dense. NLL from float32
    /// logits, natural log. Returns (points, rows, 4) float64 for tell; on a GPU it is on its way. Throws Cancelled.
    at::Tensor score(const at::Tensor& hidden, const std::stop_token& stop);
    /// What score returned, of one call or of several side by side. A point whose hidden states are dense's has a
    /// divergence of exactly 0.
    std::vector<TargetScore> tell(const at::Tensor& scores) const;

private:
    at::Tensor dense_at(std::int64_t begin, std::int64_t end, const std::stop_token& stop) const;
    void keep_dense(std::int64_t begin, const at::Tensor& logits);
    void score_apart(const at::Tensor& hidden, std::int64_t begin, const at::Tensor& out, const std::stop_token& stop);
    void score_together(
        const at::Tensor& hidden, std::int64_t begin, const at::Tensor& out, const std::stop_token& stop);

    const Decoder& decoder_;
    const Backend& backend_;
    at::Tensor targets_; // (rows)
    at::Tensor dense_hidden_; // (rows, hidden); undefined before the first call
    at::Tensor dense_scores_; // (1, rows, 4)
    at::Tensor kept_; // (up to most_kept, vocabulary): the dense distribution of the first rows
    at::Tensor now_; // (rows of the block, vocabulary): that of the block in the first call
};

/// The losses in what TargetScorer::score returned: (points, rows) float64, a view.
at::Tensor losses_of(const at::Tensor& scores);

} // namespace keepset
