#include "kernels/cuda_check.h"
#include "kernels/elements.h"
#include "kernels/ops/ops_cuda.h"

#include <climits>

namespace keepset::kernels {

namespace {

    constexpr int threads = 512;
    constexpr int warps = threads / 32;

    /// What is known of some logits of a row: Σ e^(x - largest) and Σ p_dense · x. A NaN lands in `sum`, which the
    /// comparisons do not see.
    struct Part {
        float largest = -INFINITY;
        int top = INT_MAX; ///< where `largest` first stands
        double sum = 0;
        double dot = 0;

        __device__ void add(const Part& other)
        {
            const bool ahead = other.largest > largest || (other.largest == largest && other.top < top);
            const float both = fmaxf(largest, other.largest);
            // An empty part has a sum of 0 and no say.
            sum = (sum == 0 ? 0 : sum * exp(static_cast<double>(largest - both)))
                + (other.sum == 0 ? 0 : other.sum * exp(static_cast<double>(other.largest - both)));
            dot += other.dot;
            top = ahead ? other.top : top;
            largest = both;
        }
    };

    __device__ Part from_lane(const Part& own, int distance)
    {
        return { __shfl_down_sync(~0U, own.largest, distance), __shfl_down_sync(~0U, own.top, distance),
            __shfl_down_sync(~0U, own.sum, distance), __shfl_down_sync(~0U, own.dot, distance) };
    }

    /// A block has one row. A thread's logits go by eights: their largest first, so that the sum is rescaled once, and
    /// float sums of eight are added in double.
    template <typename T> __global__ void __launch_bounds__(threads) score_rows(LogitInputs inputs, LogitScores scores)
    {
        constexpr int each = 8;
        // Points of one target follow one another, so that they read its dense distribution from the cache.
        const int64_t target = blockIdx.x / inputs.points;
        const int64_t row = blockIdx.x % inputs.points * inputs.targets + target;
        const T* const logits = static_cast<const T*>(inputs.logits) + row * inputs.vocabulary;
        const float* const dense = inputs.dense == nullptr ? nullptr : inputs.dense + target * inputs.vocabulary;
        const int vocabulary = static_cast<int>(inputs.vocabulary);
        Part own;
        for (int64_t begin = 0; begin < vocabulary; begin += threads * each) {
            float values[each];
            float shares[each];
#pragma unroll
            for (int i = 0; i < each; ++i) {
                const int64_t v = begin + threadIdx.x + i * threads;
                values[i] = v < vocabulary ? to_float(logits[v]) : -INFINITY;
                shares[i] = v < vocabulary && dense != nullptr ? dense[v] : 0.0F;
            }
            float largest = own.largest;
#pragma unroll
            for (int i = 0; i < each; ++i) {
                if (values[i] > largest) {
                    largest = values[i];
                    own.top = static_cast<int>(begin) + static_cast<int>(threadIdx.x) + i * threads;
                }
            }
            float sum = 0;
            float dot = 0;
            if (largest > -INFINITY && largest != own.largest)
                own.sum *= exp(static_cast<double>(own.largest - largest));
#pragma unroll
            for (int i = 0; i < each; ++i) {
                const int64_t v = begin + threadIdx.x + i * threads;
                if (v < vocabulary) {
                    sum += values[i] == -INFINITY ? 0.0F : expf(values[i] - largest);
                    dot = fmaf(shares[i], values[i], dot); // 0 · -inf is NaN, as it should be
                }
            }
            own.largest = largest;
            own.sum += static_cast<double>(sum);
            own.dot += static_cast<double>(dot);
        }
        __shared__ Part parts[warps];
        for (int distance = 16; distance > 0; distance /= 2)
            own.add(from_lane(own, distance));
        if (threadIdx.x % 32 == 0)
            parts[threadIdx.x / 32] = own;
        __syncthreads();
        if (threadIdx.x != 0)
            return;
        for (int other = 1; other < warps; ++other)
            own.add(parts[other]);
        const double lse = static_cast<double>(own.largest) + log(own.sum);
        scores.lse[row] = static_cast<float>(lse);
        scores.nll[row] = static_cast<float>(lse - static_cast<double>(to_float(logits[inputs.wanted[target]])));
        scores.cross[row] = dense == nullptr ? static_cast<double>(nanf("")) : own.dot - lse;
        scores.top[row] = isnan(own.sum) || own.top == INT_MAX ? -1 : own.top;
    }

    /// use(element) with a null pointer of the logits' type.
    template <typename Use> void for_type(ElementType type, const Use& use)
    {
        switch (type) {
        case ElementType::float32:
            return use(static_cast<const float*>(nullptr));
        case ElementType::bfloat16:
            return use(static_cast<const __nv_bfloat16*>(nullptr));
        case ElementType::float16:
            return use(static_cast<const __half*>(nullptr));
        }
    }

} // namespace

void score_logits_cuda(const LogitInputs& inputs, const LogitScores& scores, void* stream)
{
    const std::int64_t rows = inputs.points * inputs.targets;
    if (rows == 0)
        return;
    for_type(inputs.type, [&](auto* typed) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(typed)>>;
        score_rows<T><<<static_cast<unsigned>(rows), threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs, scores);
    });
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

} // namespace keepset::kernels
