#include "core/sweep/target_score.h"

#include "core/error.h"
#include "core/sweep/evidence.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vecdot.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace keepset {

namespace {

    void refuse_stopped(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            throw Cancelled {};
    }

    /// What a point collects block by block, each (block).
    struct Parts {
        std::vector<at::Tensor> nll;
        std::vector<at::Tensor> lse;
        std::vector<at::Tensor> divergence;
        std::vector<at::Tensor> agrees;
    };

    TargetScore joined(const Parts& parts, std::uint64_t hash)
    {
        const at::Tensor rows = at::stack({ at::cat(parts.nll), at::cat(parts.lse) }).cpu().contiguous(); // (2, rows)
        const auto* const values = rows.const_data_ptr<float>();
        TargetScore score;
        score.token_nll.assign(values, values + rows.size(1));
        score.row_lse.assign(values + rows.size(1), values + rows.numel());
        score.nll_sum = rows[0].sum(at::kDouble).item<double>();
        // Not below 0 but for rounding; what is not a number stays that.
        const double divergence = at::cat(parts.divergence).sum(at::kDouble).item<double>();
        score.kl_sum = divergence < 0 ? 0 : divergence;
        score.top1_agreements = at::cat(parts.agrees).sum(at::kDouble).item<double>();
        score.target_hash = hash;
        return score;
    }

} // namespace

TargetScorer::TargetScorer(
    const Decoder& decoder, at::Tensor targets, at::Tensor dense_hidden, const std::stop_token& stop)
    : decoder_(decoder)
    , targets_(std::move(targets))
    , dense_hidden_(std::move(dense_hidden))
    , hash_(hash_of_ids(targets_))
{
    const std::int64_t rows = std::min(most_kept, targets_.size(0));
    for (std::int64_t begin = 0; begin < rows; begin += block) {
        refuse_stopped(stop);
        kept_.push_back(dense_at(begin, stop));
    }
}

at::Tensor TargetScorer::block_logits(const at::Tensor& hidden, std::int64_t begin, const std::stop_token& stop) const
{
    return decoder_.logits(hidden.slice(0, begin, begin + block), stop); // (block, vocabulary)
}

TargetScorer::Dense TargetScorer::dense_at(std::int64_t begin, const std::stop_token& stop) const
{
    const at::Tensor logits = block_logits(dense_hidden_, begin, stop);
    const at::Tensor probability = (logits - at::logsumexp(logits, { 1 }, true)).exp_();
    // The arithmetic of score(): a point with dense's hidden states then has a divergence of exactly 0.
    return { probability, at::linalg_vecdot(probability, logits) - at::logsumexp(logits, { 1 }),
        at::argmax(logits, 1) };
}

std::vector<TargetScore> TargetScorer::score(const at::Tensor& hidden, const std::stop_token& stop) const
{
    std::vector<Parts> parts(static_cast<std::size_t>(hidden.size(0)));
    for (std::int64_t begin = 0; begin < targets_.size(0); begin += block) {
        refuse_stopped(stop);
        const auto number = static_cast<std::size_t>(begin / block);
        const Dense dense = number < kept_.size() ? kept_[number] : dense_at(begin, stop);
        const at::Tensor wanted = targets_.slice(0, begin, begin + block).unsqueeze(1);
        for (std::size_t point = 0; point < parts.size(); ++point) {
            refuse_stopped(stop);
            const at::Tensor logits = block_logits(hidden[static_cast<std::int64_t>(point)], begin, stop);
            const at::Tensor lse = at::logsumexp(logits, { 1 });
            parts[point].nll.push_back(lse - at::gather(logits, 1, wanted).squeeze(1));
            parts[point].lse.push_back(lse);
            const at::Tensor divergence = dense.negentropy - (at::linalg_vecdot(dense.probability, logits) - lse);
            parts[point].divergence.push_back(divergence);
            // Of two rows of NaN argmax names the same token: that is no agreement, and no disagreement either.
            const at::Tensor agrees = at::argmax(logits, 1).eq(dense.top).to(at::kFloat);
            parts[point].agrees.push_back(at::where(at::isfinite(divergence), agrees, not_a_number));
        }
    }
    std::vector<TargetScore> scores;
    for (const Parts& point : parts)
        scores.push_back(joined(point, hash_));
    return scores;
}

} // namespace keepset
