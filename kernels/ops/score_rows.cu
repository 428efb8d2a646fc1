#include "kernels/cuda_check.h"
#include "kernels/ops/ops_cuda.h"

namespace keepset::kernels {

namespace {

    constexpr int threads = 256;

    /// A thread has one position of one row: of the mass first, then of the scores.
    __global__ void __launch_bounds__(threads) reduce(ScoreRowsInputs inputs, float* scores, double* mass)
    {
        const int64_t rows = inputs.layers * inputs.kv_heads;
        const int64_t row = blockIdx.y;
        const int64_t j = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
        if (j >= inputs.context)
            return;
        if (row < rows)
            mass[row * inputs.context + j] = group_score(inputs, inputs.importance, row, j, GroupReduction::mean);
        else
            scores[(row - rows) * inputs.context + j] = score_of_row(inputs, row - rows, j);
    }

} // namespace

void score_rows_cuda(const ScoreRowsInputs& inputs, float* scores, double* mass, void* stream)
{
    const std::int64_t rows = inputs.layers * inputs.kv_heads;
    if (rows == 0 || inputs.context == 0)
        return;
    const dim3 grid(static_cast<unsigned>((inputs.context + threads - 1) / threads),
        static_cast<unsigned>(rows + rows / inputs.together));
    reduce<<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs, scores, mass);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

} // namespace keepset::kernels
