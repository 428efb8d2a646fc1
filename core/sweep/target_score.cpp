#include "core/sweep/target_score.h"

#include "core/device/streams.h"
#include "core/device/tensors.h"
#include "core/error.h"
#include "core/sweep/evidence.h"
#include "core/task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/linalg_vecdot.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace keepset {

namespace {

    void refuse_stopped(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            throw Cancelled {};
    }

    // What the last dimension of the scores holds.
    constexpr std::int64_t nll = 0;
    constexpr std::int64_t lse = 1;
    constexpr std::int64_t cross = 2; // Σ p_dense ln p
    constexpr std::int64_t top = 3; // the most probable token, -1 where a logit is NaN
    constexpr std::int64_t columns = 4;

} // namespace

TargetScorer::TargetScorer(const Decoder& decoder, const Backend& backend, at::Tensor targets)
    : decoder_(decoder)
    , backend_(backend)
    , targets_(std::move(targets))
{
}

at::Tensor TargetScorer::dense_at(std::int64_t begin, std::int64_t end, const std::stop_token& stop) const
{
    if (now_.defined())
        return now_;
    if (end <= kept_.size(0))
        return kept_.slice(0, begin, end);
    return at::softmax(decoder_.logits(dense_hidden_.slice(0, begin, end), stop), 1);
}

void TargetScorer::keep_dense(std::int64_t begin, const at::Tensor& logits)
{
    now_ = at::softmax(logits, 1, at::kFloat);
    const std::int64_t rows = std::min(most_kept, targets_.size(0));
    if (!kept_.defined())
        kept_ = at::empty({ rows, logits.size(1) }, now_.options());
    const std::int64_t end = std::min(rows, begin + logits.size(0));
    if (begin < end)
        kept_.slice(0, begin, end).copy_(now_.slice(0, 0, end - begin));
}

void TargetScorer::score_apart(
    const at::Tensor& hidden, std::int64_t begin, const at::Tensor& out, const std::stop_token& stop)
{
    const std::int64_t end = begin + out.size(1);
    const at::Tensor wanted = targets_.slice(0, begin, end).unsqueeze(1);
    for (std::int64_t point = 0; point < hidden.size(0); ++point) {
        refuse_stopped(stop);
        const at::Tensor logits = decoder_.logits(hidden[point].slice(0, begin, end), stop); // (rows, vocabulary)
        if (!dense_scores_.defined() && point == 0)
            keep_dense(begin, logits);
        const at::Tensor sum = at::logsumexp(logits, { 1 });
        const at::Tensor dot = at::linalg_vecdot(dense_at(begin, end, stop), logits);
        const at::Tensor best = at::where(sum.isnan(), -1, at::argmax(logits, 1));
        out[point].copy_(at::stack({ (sum - at::gather(logits, 1, wanted).squeeze(1)).to(at::kDouble),
                                       sum.to(at::kDouble), dot.to(at::kDouble) - sum, best.to(at::kDouble) },
            1));
    }
}

void TargetScorer::score_together(
    const at::Tensor& hidden, std::int64_t begin, const at::Tensor& out, const std::stop_token& stop)
{
    refuse_stopped(stop);
    const std::int64_t points = hidden.size(0);
    const std::int64_t rows = out.size(1);
    const at::Tensor logits
        = decoder_.head(hidden.slice(1, begin, begin + rows).reshape({ points * rows, hidden.size(2) })).contiguous();
    if (!dense_scores_.defined())
        keep_dense(begin, logits.slice(0, 0, rows));
    const at::Tensor dense = dense_at(begin, begin + rows, stop).contiguous();
    const at::Tensor wanted = targets_.slice(0, begin, begin + rows).contiguous();
    const auto options = logits.options();
    const at::Tensor sums = at::empty({ 2, points, rows }, options.dtype(at::kFloat)); // lse, nll
    const at::Tensor crosses = at::empty({ points, rows }, options.dtype(at::kDouble));
    const at::Tensor best = at::empty({ points, rows }, options.dtype(at::kInt));
    const c10::DeviceGuard guard(logits.device());
    backend_.cuda->score_logits(
        { element_type(logits.scalar_type()), logits.const_data_ptr(), points, rows, logits.size(1),
            wanted.const_data_ptr<std::int64_t>(), dense.const_data_ptr<float>() },
        { sums.mutable_data_ptr<float>(), sums[1].mutable_data_ptr<float>(), crosses.mutable_data_ptr<double>(),
            best.mutable_data_ptr<std::int32_t>() },
        current_stream(logits.device()));
    out.select(2, nll).copy_(sums[1]);
    out.select(2, lse).copy_(sums[0]);
    out.select(2, cross).copy_(crosses);
    out.select(2, top).copy_(best);
}

at::Tensor TargetScorer::score(const at::Tensor& hidden, const std::stop_token& stop)
{
    const std::int64_t points = hidden.size(0);
    const std::int64_t rows = targets_.size(0);
    const bool together = hidden.is_cuda();
    const std::int64_t narrow = decoder_.dtype() == at::kFloat ? 1 : 2;
    const std::int64_t step
        = together ? std::clamp<std::int64_t>(narrow * block_logits / points, 1, block) : std::int64_t { block };
    if (!dense_hidden_.defined())
        dense_hidden_ = hidden[0].clone();
    at::Tensor scores = at::empty({ points, rows, columns }, hidden.options().dtype(at::kDouble));
    for (std::int64_t begin = 0; begin < rows; begin += step) {
        const at::Tensor out = scores.slice(1, begin, std::min(rows, begin + step));
        if (together)
            score_together(hidden, begin, out, stop);
        else
            score_apart(hidden, begin, out, stop);
        now_ = at::Tensor();
    }
    if (!dense_scores_.defined())
        dense_scores_ = scores.slice(0, 0, 1);
    return scores;
}

at::Tensor losses_of(const at::Tensor& scores) { return scores.select(2, nll); }

std::vector<TargetScore> TargetScorer::tell(const at::Tensor& scores) const
{
    const at::Tensor host = at::cat({ dense_scores_, scores }).cpu().contiguous(); // (1 + points, rows, columns)
    const std::int64_t rows = host.size(1);
    const auto* const dense = host.const_data_ptr<double>();
    std::vector<TargetScore> found(static_cast<std::size_t>(scores.size(0)));
    const std::uint64_t hash = hash_of_ids(targets_);
    const double* row = dense + rows * columns;
    for (TargetScore& score : found) {
        double divergence = 0;
        for (std::int64_t index = 0; index < rows; ++index, row += columns) {
            const double* const at_dense = dense + index * columns;
            score.token_nll.push_back(static_cast<float>(row[nll]));
            score.row_lse.push_back(static_cast<float>(row[lse]));
            score.nll_sum += static_cast<double>(score.token_nll.back());
            const double of_row = at_dense[cross] - row[cross];
            divergence += of_row;
            score.token_kl.push_back(static_cast<float>(of_row < 0 ? 0 : of_row)); // as kl_sum below
            // Two rows of NaN have one most probable token: that is no agreement, and no disagreement either.
            score.top1_agreements += !std::isfinite(of_row) ? not_a_number : row[top] == at_dense[top] ? 1 : 0;
        }
        score.kl_sum = divergence < 0 ? 0 : divergence; // not below 0 but for rounding; what is no number stays that
        score.target_hash = hash;
    }
    return found;
}

} // namespace keepset
