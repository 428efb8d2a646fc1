#include "kernels/ops/score_logits.h"

#include <cmath>
#include <limits>

namespace keepset::kernels {

namespace {

    /// One row of logits (vocabulary); dense (vocabulary) or nullptr.
    void score_row(const LogitInputs& inputs, std::int64_t row, const float* dense, const LogitScores& scores)
    {
        const float* const logits = static_cast<const float*>(inputs.logits) + row * inputs.vocabulary;
        double largest = -std::numeric_limits<double>::infinity();
        std::int32_t top = -1;
        bool bad = false;
        for (std::int64_t v = 0; v < inputs.vocabulary; ++v) {
            bad = bad || std::isnan(logits[v]);
            if (static_cast<double>(logits[v]) > largest || top < 0) {
                largest = static_cast<double>(logits[v]);
                top = static_cast<std::int32_t>(v);
            }
        }
        double sum = 0;
        double dot = 0;
        for (std::int64_t v = 0; v < inputs.vocabulary; ++v) {
            sum += std::exp(static_cast<double>(logits[v]) - largest);
            if (dense != nullptr)
                dot += static_cast<double>(dense[v]) * static_cast<double>(logits[v]);
        }
        const double lse = largest + std::log(sum);
        const std::int64_t wanted = inputs.wanted[row % inputs.targets];
        scores.lse[row] = static_cast<float>(lse);
        scores.nll[row] = static_cast<float>(lse - static_cast<double>(logits[wanted]));
        scores.cross[row] = dense == nullptr ? std::numeric_limits<double>::quiet_NaN() : dot - lse;
        scores.top[row] = bad ? -1 : top;
    }

} // namespace

void score_logits_reference(const LogitInputs& inputs, const LogitScores& scores)
{
    for (std::int64_t row = 0; row < inputs.points * inputs.targets; ++row) {
        const float* const dense
            = inputs.dense == nullptr ? nullptr : inputs.dense + row % inputs.targets * inputs.vocabulary;
        score_row(inputs, row, dense, scores);
    }
}

} // namespace keepset::kernels
