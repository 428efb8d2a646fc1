#include "kernels/cuda_check.h"
#include "kernels/ops/ops_cuda.h"

#include <cfloat>

namespace keepset::kernels {

namespace {

    constexpr int threads = 256;
    constexpr int warps = threads / 32;

    /// What a thread, and then the block, gathers of a row.
    struct Partial {
        unsigned long long hash = 0;
        double mass = 0;
        float cut = INFINITY; ///< lowest score among the important
        float best_evicted = -INFINITY;

        __device__ void add(const Partial& other)
        {
            hash += other.hash;
            mass += other.mass;
            cut = fminf(cut, other.cut);
            best_evicted = fmaxf(best_evicted, other.best_evicted);
        }
    };

    __device__ Partial from_lane(const Partial& own, int distance)
    {
        return { __shfl_down_sync(~0U, own.hash, distance), __shfl_down_sync(~0U, own.mass, distance),
            __shfl_down_sync(~0U, own.cut, distance), __shfl_down_sync(~0U, own.best_evicted, distance) };
    }

    struct Shared {
        int counts[warps]; // kept by each warp in this step
        Partial parts[warps];
    };

    /// A block has one row of one plan. Positions come out ascending: in steps of `threads`, each warp counts what its
    /// lanes keep.
    __global__ void __launch_bounds__(threads) kept_rows(KeptRowsInputs inputs, int32_t* positions, KeptFacts* facts)
    {
        __shared__ Shared shared;
        const int64_t row = blockIdx.x;
        const int64_t plan = blockIdx.y;
        const int64_t index = plan * gridDim.x + row;
        const int64_t score_row = row / inputs.sharing;
        const uint8_t* const labels = inputs.labels + (plan * inputs.score_rows + score_row) * inputs.context;
        const float* const scores = inputs.scores == nullptr ? nullptr : inputs.scores + score_row * inputs.context;
        const double* const mass = inputs.mass + row * inputs.context;
        const int64_t start = inputs.starts[index];
        const int lane = threadIdx.x % 32;
        const int warp = threadIdx.x / 32;

        Partial own;
        int64_t done = 0; // positions written by the block
        for (int64_t begin = 0; begin < inputs.context; begin += threads) {
            const int64_t j = begin + threadIdx.x;
            const bool inside = j < inputs.context;
            const uint8_t label = inside ? labels[j] : 0;
            const bool kept = label != static_cast<uint8_t>(RowLabel::evicted);
            const unsigned ballot = __ballot_sync(~0U, kept);
            if (lane == 0)
                shared.counts[warp] = __popc(ballot);
            __syncthreads();
            int before = __popc(ballot & ((1U << lane) - 1));
            int all = 0;
            for (int other = 0; other < warps; ++other) {
                before += other < warp ? shared.counts[other] : 0;
                all += shared.counts[other];
            }
            if (kept) {
                if (start + done + before < inputs.end)
                    positions[start + done + before] = static_cast<int32_t>(j);
                own.hash += place_hash(row, inputs.context, j);
                own.mass += mass[j];
            }
            if (inside && !kept && scores != nullptr)
                own.best_evicted = fmaxf(own.best_evicted, scores[j]);
            if (label == static_cast<uint8_t>(RowLabel::important) && scores != nullptr)
                own.cut = fminf(own.cut, scores[j]);
            done += all;
            __syncthreads();
        }
        for (int distance = 16; distance > 0; distance /= 2)
            own.add(from_lane(own, distance));
        if (lane == 0)
            shared.parts[warp] = own;
        __syncthreads();
        if (threadIdx.x != 0)
            return;
        for (int other = 1; other < warps; ++other)
            own.add(shared.parts[other]);
        const bool first = inputs.context > 0 && labels[0] != static_cast<uint8_t>(RowLabel::evicted);
        facts[index]
            = { done, own.hash, own.mass, first ? 1 : 0, own.cut == own.best_evicted && own.cut < INFINITY ? 1 : 0 };
    }

} // namespace

void kept_rows_cuda(const KeptRowsInputs& inputs, std::int32_t* positions, KeptFacts* facts, void* stream)
{
    if (inputs.plans == 0 || rows_of(inputs) == 0)
        return;
    const dim3 grid(static_cast<unsigned>(rows_of(inputs)), static_cast<unsigned>(inputs.plans));
    kept_rows<<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs, positions, facts);
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

} // namespace keepset::kernels
