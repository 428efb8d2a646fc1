#include "kernels/cuda_check.h"
#include "kernels/elements.h"
#include "kernels/ops/ops_cuda.h"

#include <climits>

namespace keepset::kernels {

namespace {

    constexpr int threads = 512;
    constexpr int warps = threads / 32;

    /// What is known of some logits of a row: Σ e^(x - base) and Σ p_dense · x. A NaN lands in `sum`, which the
    /// comparisons do not see.
    struct Part {
        float largest = -INFINITY;
        int top = INT_MAX; ///< where `largest` first stands
        float base = -INFINITY; ///< near enough to `largest` that no term overflows
        double sum = 0;
        double dot = 0;

        __device__ void add(const Part& other)
        {
            const bool ahead = other.largest > largest || (other.largest == largest && other.top < top);
            const float both = fmaxf(base, other.base);
            // An empty part has a sum of 0 and no say.
            sum = (sum == 0 ? 0 : sum * exp(static_cast<double>(base - both)))
                + (other.sum == 0 ? 0 : other.sum * exp(static_cast<double>(other.base - both)));
            dot += other.dot;
            top = ahead ? other.top : top;
            largest = fmaxf(largest, other.largest);
            base = both;
        }
    };

    __device__ Part from_lane(const Part& own, int distance)
    {
        return { __shfl_down_sync(~0U, own.largest, distance), __shfl_down_sync(~0U, own.top, distance),
            __shfl_down_sync(~0U, own.base, distance), __shfl_down_sync(~0U, own.sum, distance),
            __shfl_down_sync(~0U, own.dot, distance) };
    }

    constexpr int together = 2; // points that a block has of one target, which read its dense distribution once

    /// The next `each` logits of a thread, from place `first` on and `stride` apart; -inf beyond the vocabulary.
    template <typename T, bool packs, int each>
    __device__ void load(const T* row, int64_t first, int stride, int vocabulary, float (&values)[each], float beyond)
    {
        if constexpr (packs) {
            constexpr int size = Pack<T>::size;
#pragma unroll
            for (int part = 0; part < each / size; ++part) {
                if (first < vocabulary) {
                    const Pack<T> some(row + first + part * size);
#pragma unroll
                    for (int i = 0; i < size; ++i)
                        values[part * size + i] = to_float(some.elements[i]);
                } else {
#pragma unroll
                    for (int i = 0; i < size; ++i)
                        values[part * size + i] = beyond;
                }
            }
        } else {
#pragma unroll
            for (int i = 0; i < each; ++i) {
                const int64_t v = first + static_cast<int64_t>(i) * stride;
                values[i] = v < vocabulary ? to_float(row[v]) : beyond;
            }
        }
    }

    constexpr float headroom = 40; // e^headroom times a thread's logits is far from overflow

    /// A block has some points of one target. A thread's logits go by eights, whose float sums are added in double.
    /// They are relative to a base that changes only where a logit is far above it, not at every new largest one.
    /// In packs of 16 bytes, or one by one.
    template <typename T, bool packs> __global__ void __launch_bounds__(threads, 2)
        score_rows(LogitInputs inputs, LogitScores scores)
    {
        constexpr int each = 8;
        constexpr int stride = packs ? 1 : threads; // between a thread's logits
        const int64_t groups = (inputs.points + together - 1) / together;
        const int64_t target = blockIdx.x / groups;
        const int64_t first_point = blockIdx.x % groups * together;
        const int points = static_cast<int>(min(static_cast<int64_t>(together), inputs.points - first_point));
        const auto row_of = [&](int point) { return (first_point + point) * inputs.targets + target; };
        const float* const dense = inputs.dense == nullptr ? nullptr : inputs.dense + target * inputs.vocabulary;
        const int vocabulary = static_cast<int>(inputs.vocabulary);
        Part own[together];
        for (int64_t begin = 0; begin < vocabulary; begin += threads * each) {
            const int64_t first = begin + static_cast<int64_t>(threadIdx.x) * (packs ? each : 1);
            float shares[each] = {};
            if (dense != nullptr)
                load<float, packs>(dense, first, stride, vocabulary, shares, 0.0F);
#pragma unroll
            for (int point = 0; point < together; ++point) {
                if (point >= points)
                    break;
                Part& part = own[point];
                float values[each];
                load<T, packs>(static_cast<const T*>(inputs.logits) + row_of(point) * inputs.vocabulary, first, stride,
                    vocabulary, values, -INFINITY);
                float largest = part.largest;
#pragma unroll
                for (int i = 0; i < each; ++i) {
                    if (values[i] > largest) {
                        largest = values[i];
                        part.top = static_cast<int>(first) + i * stride;
                    }
                }
                if (largest > part.base + headroom || part.base == -INFINITY) {
                    part.sum *= part.sum == 0 ? 0 : exp(static_cast<double>(part.base - largest));
                    part.base = largest;
                }
                float sum = 0;
                float dot = 0;
#pragma unroll
                for (int i = 0; i < each; ++i) {
                    if (first + i * stride < vocabulary) {
                        sum += values[i] == -INFINITY ? 0.0F : expf(values[i] - part.base);
                        dot = fmaf(shares[i], values[i], dot); // 0 · -inf is NaN, as it should be
                    }
                }
                part.largest = largest;
                part.sum += static_cast<double>(sum);
                part.dot += static_cast<double>(dot);
            }
        }
        __shared__ Part parts[together][warps];
#pragma unroll
        for (int point = 0; point < together; ++point) {
            for (int distance = 16; distance > 0; distance /= 2)
                own[point].add(from_lane(own[point], distance));
            if (threadIdx.x % 32 == 0)
                parts[point][threadIdx.x / 32] = own[point];
        }
        __syncthreads();
        const int point = static_cast<int>(threadIdx.x);
        if (point >= points)
            return;
        Part all = parts[point][0];
        for (int other = 1; other < warps; ++other)
            all.add(parts[point][other]);
        const int64_t row = row_of(point);
        const T* const logits = static_cast<const T*>(inputs.logits) + row * inputs.vocabulary;
        const double lse = static_cast<double>(all.base) + log(all.sum);
        scores.lse[row] = static_cast<float>(lse);
        scores.nll[row] = static_cast<float>(lse - static_cast<double>(to_float(logits[inputs.wanted[target]])));
        scores.cross[row] = dense == nullptr ? static_cast<double>(nanf("")) : all.dot - lse;
        scores.top[row] = isnan(all.sum) || all.top == INT_MAX ? -1 : all.top;
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
    if (inputs.points == 0 || inputs.targets == 0)
        return;
    const std::int64_t blocks = (inputs.points + together - 1) / together * inputs.targets;
    for_type(inputs.type, [&](auto* typed) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(typed)>>;
        const bool packs = inputs.vocabulary % 8 == 0 && in_packs<T>(inputs.logits, inputs.vocabulary, 0)
            && in_packs<float>(inputs.dense, inputs.vocabulary, 0);
        auto* const kernel = packs ? score_rows<T, true> : score_rows<T, false>;
        kernel<<<static_cast<unsigned>(blocks), threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs, scores);
    });
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

} // namespace keepset::kernels
