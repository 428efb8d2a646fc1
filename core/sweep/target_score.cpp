#include "core/sweep/target_score.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/linalg_vecdot.h>
#include <ATen/ops/logsumexp.h>

#include <algorithm>
#include <functional>

namespace keepset {

namespace {

    constexpr std::int64_t head_rows = 128;

    /// Logits of (rows, hidden), block by block: use(logits (block, vocabulary), first row).
    void for_blocks(const Decoder& decoder, const at::Tensor& hidden, const std::stop_token& stop,
        const std::function<void(const at::Tensor&, std::int64_t)>& use)
    {
        for (std::int64_t begin = 0; begin < hidden.size(0); begin += head_rows) {
            if (stop.stop_requested())
                throw Cancelled {};
            use(decoder.logits(hidden.slice(0, begin, begin + head_rows)), begin);
        }
    }

} // namespace

TargetScorer::TargetScorer(
    const Decoder& decoder, at::Tensor targets, const at::Tensor& dense_hidden, const std::stop_token& stop)
    : decoder_(decoder)
    , targets_(std::move(targets))
{
    std::vector<at::Tensor> probability;
    for_blocks(decoder, dense_hidden, stop, [&](const at::Tensor& logits, std::int64_t) {
        probability.push_back((logits - at::logsumexp(logits, { 1 }, true)).exp_());
    });
    dense_probability_ = at::cat(probability);
    // The same arithmetic as score(): a point with dense's hidden states then has a divergence of exactly 0.
    std::vector<at::Tensor> negentropy;
    std::vector<at::Tensor> top;
    for_blocks(decoder, dense_hidden, stop, [&](const at::Tensor& logits, std::int64_t begin) {
        const Rows rows = rows_of(logits, begin);
        negentropy.push_back(rows.expected_logit - rows.lse);
        top.push_back(rows.top);
    });
    dense_negentropy_ = at::cat(negentropy);
    dense_top_ = at::cat(top);
}

TargetScorer::Rows TargetScorer::rows_of(const at::Tensor& logits, std::int64_t begin) const
{
    const at::Tensor probability = dense_probability_.slice(0, begin, begin + logits.size(0));
    return { at::logsumexp(logits, { 1 }), at::linalg_vecdot(probability, logits), at::argmax(logits, 1) };
}

TargetScore TargetScorer::score(const at::Tensor& hidden, const std::stop_token& stop) const
{
    std::vector<at::Tensor> nll;
    std::vector<at::Tensor> divergence;
    std::vector<at::Tensor> agrees;
    for_blocks(decoder_, hidden, stop, [&](const at::Tensor& logits, std::int64_t begin) {
        const std::int64_t end = begin + logits.size(0);
        const Rows rows = rows_of(logits, begin);
        const at::Tensor chosen = at::gather(logits, 1, targets_.slice(0, begin, end).unsqueeze(1)).squeeze(1);
        nll.push_back(rows.lse - chosen);
        divergence.push_back(dense_negentropy_.slice(0, begin, end) - (rows.expected_logit - rows.lse));
        agrees.push_back(rows.top.eq(dense_top_.slice(0, begin, end)));
    });
    const at::Tensor all = at::cat(nll).cpu().contiguous();
    TargetScore score;
    score.token_nll.assign(all.const_data_ptr<float>(), all.const_data_ptr<float>() + all.numel());
    score.nll_sum = all.sum(at::kDouble).item<double>();
    // Not below 0 but for rounding.
    score.kl_sum = std::max(0.0, at::cat(divergence).sum(at::kDouble).item<double>());
    score.top1_agreements = at::cat(agrees).sum().item<std::int64_t>();
    return score;
}

} // namespace keepset
