#include "kernels/ops/score_rows.h"

namespace keepset::kernels {

void score_rows_cpu(const ScoreRowsInputs& inputs, float* scores, double* mass, int threads)
{
    const std::int64_t rows = inputs.layers * inputs.kv_heads;
    const std::int64_t score_rows = rows / inputs.together;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static) nowait
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t j = 0; j < inputs.context; ++j)
                mass[row * inputs.context + j] = group_score(inputs, inputs.importance, row, j, GroupReduction::mean);
        }
#pragma omp for schedule(static)
        for (std::int64_t row = 0; row < score_rows; ++row) {
            for (std::int64_t j = 0; j < inputs.context; ++j)
                scores[row * inputs.context + j] = score_of_row(inputs, row, j);
        }
    }
}

} // namespace keepset::kernels
