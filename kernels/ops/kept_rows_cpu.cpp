#include "kernels/ops/kept_rows.h"

#include <algorithm>
#include <limits>

namespace keepset::kernels {

namespace {

    constexpr auto evicted = static_cast<std::uint8_t>(RowLabel::evicted);
    constexpr auto important = static_cast<std::uint8_t>(RowLabel::important);

    /// Whether the position decided at the cut: labels and scores (context).
    bool is_tied(const std::uint8_t* labels, const float* scores, std::int64_t context)
    {
        constexpr float none = std::numeric_limits<float>::infinity();
        float cut = none; // lowest score among the important
        float best_evicted = -none;
        for (std::int64_t j = 0; j < context; ++j) {
            cut = std::min(cut, labels[j] == important ? scores[j] : none);
            best_evicted = std::max(best_evicted, labels[j] == evicted ? scores[j] : -none);
        }
        return cut == best_evicted && cut < none;
    }

    KeptFacts one_row(const KeptRowsInputs& inputs, std::int64_t plan, std::int64_t row, std::int32_t* positions)
    {
        const std::int64_t start = inputs.starts[plan * rows_of(inputs) + row];
        const std::int64_t score_row = row / inputs.sharing;
        const std::uint8_t* const labels
            = inputs.labels + (plan * inputs.score_rows + score_row) * inputs.context; // (context)
        const double* const mass = inputs.mass + row * inputs.context; // (context)
        KeptFacts facts;
        for (std::int64_t j = 0; j < inputs.context; ++j) {
            if (labels[j] == evicted)
                continue;
            if (start + facts.entries < inputs.end)
                positions[start + facts.entries] = static_cast<std::int32_t>(j);
            ++facts.entries;
            facts.hash += place_hash(row, inputs.context, j);
            facts.mass += mass[j];
        }
        facts.first_kept = inputs.context > 0 && labels[0] != evicted ? 1 : 0;
        const bool asked = inputs.scores != nullptr;
        facts.tied = asked && is_tied(labels, inputs.scores + score_row * inputs.context, inputs.context) ? 1 : 0;
        return facts;
    }

} // namespace

void kept_rows_cpu(const KeptRowsInputs& inputs, std::int32_t* positions, KeptFacts* facts, int threads)
{
    const std::int64_t rows = rows_of(inputs);
    const std::int64_t all = inputs.plans * rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 4)
    for (std::int64_t index = 0; index < all; ++index)
        facts[index] = one_row(inputs, index / rows, index % rows, positions);
}

} // namespace keepset::kernels
