#include "kernels/cuda_check.h"
#include "kernels/select/select_cuda.h"

#include <algorithm>

namespace keepset::kernels {

namespace {

    constexpr int digit_bits = 11;
    constexpr int bins = 1 << digit_bits;
    constexpr int threads = 512; // of a block; 256 and 1024 were no quicker
    constexpr int max_warps = 32;
    constexpr int plans_of_launch = 64; // as many as kernel parameters have room for
    constexpr int ahead = 4; // scores that a thread asks for before it uses the first

    struct PlanBatch {
        SelectPlan plans[plans_of_launch];
        unsigned count;
    };

    /// The digit that a rank falls on, found by one thread for all.
    struct Digit {
        unsigned value;
        unsigned before; ///< positions of lower digits
        unsigned count; ///< positions of this digit
    };

    struct Shared {
        unsigned counts[bins];
        unsigned warp_sums[max_warps];
        Digit digit;
    };

    /// Values up to `value` are taken; of those equal to it the positions up to `last`.
    template <typename Value> struct Cut {
        Value value;
        int last;
    };

    /// The scores of one row: as they lie, or copied to shared memory once.
    struct Row {
        const float* scores; // (context)
        int context;

        /// use(position, score) for positions [first, end), in turns among the threads of the block.
        template <typename Use> __device__ void each(int first, int end, const Use& use) const
        {
            const int step = blockDim.x;
            for (int64_t base = first + threadIdx.x; base < end; base += int64_t { ahead } * step) {
                float values[ahead];
#pragma unroll
                for (int i = 0; i < ahead; ++i)
                    values[i] = base + i * step < end ? scores[base + i * step] : 0.0F;
#pragma unroll
                for (int i = 0; i < ahead; ++i) {
                    if (base + i * step < end)
                        use(static_cast<int>(base + i * step), values[i]);
                }
            }
        }
    };

    /// Ascending from the highest score on; -0 and 0 are one.
    __device__ unsigned ordinal_of(float score)
    {
        const unsigned bits = score == 0 ? 0 : __float_as_uint(score);
        const auto sign = static_cast<unsigned>(static_cast<int>(bits) >> 31);
        return ~(bits ^ (sign | 0x80000000U));
    }

    __device__ float score_of(unsigned ordinal)
    {
        const unsigned ascending = ~ordinal;
        return __uint_as_float((ascending & 0x80000000U) != 0 ? ascending ^ 0x80000000U : ~ascending);
    }

    /// Order of distances to the median: the bits of a double that is not negative.
    __device__ unsigned long long cost_of(float score, double median)
    {
        return static_cast<unsigned long long>(__double_as_longlong(fabs(score - median)));
    }

    /// Sum over the lanes before this one.
    __device__ unsigned sum_before(unsigned value)
    {
        const int lane = threadIdx.x % warpSize;
        unsigned sum = value;
        for (int distance = 1; distance < warpSize; distance *= 2) {
            const unsigned other = __shfl_up_sync(~0U, sum, distance);
            sum += lane >= distance ? other : 0;
        }
        return sum - value;
    }

    /// The digit of the value with `rank` others before it, by the counts of all digits.
    __device__ Digit digit_at(Shared& shared, unsigned rank)
    {
        const int each = bins / blockDim.x;
        const unsigned* own = shared.counts + threadIdx.x * each;
        unsigned sum = 0;
        for (int bin = 0; bin < each; ++bin)
            sum += own[bin];
        unsigned before = sum_before(sum);
        const int warp = threadIdx.x / warpSize;
        if (threadIdx.x % warpSize == warpSize - 1)
            shared.warp_sums[warp] = before + sum;
        __syncthreads();
        for (int other = 0; other < warp; ++other)
            before += shared.warp_sums[other];
        if (before <= rank && rank < before + sum) {
            int bin = 0;
            for (; before + own[bin] <= rank; ++bin)
                before += own[bin];
            shared.digit = { threadIdx.x * each + bin, before, own[bin] };
        }
        __syncthreads();
        return shared.digit;
    }

    /// What a search knows of the value with `rank` others before it.
    template <typename Value> struct Found {
        Value value; ///< or, where the search ended early, the highest that shares its leading digits
        unsigned rank; ///< among the positions of this value
        unsigned count; ///< positions of this value
    };

    /// Finds the value with `rank` others before it, digit by digit. value_of(position, score, value) says whether a
    /// position counts. `bits` of the values are looked at; the search may end early where all positions that share the
    /// digits so far come before the cut.
    template <typename Value, bool early, typename ValueOf> __device__ Found<Value> find(
        Shared& shared, const Row& row, int first, int end, int bits, unsigned rank, const ValueOf& value_of)
    {
        Found<Value> found = { 0, rank, 0 };
        int low = bits;
        while (low > 0) {
            const int width = min(low, digit_bits);
            low -= width;
            for (int bin = threadIdx.x; bin < bins; bin += blockDim.x)
                shared.counts[bin] = 0;
            __syncthreads();
            row.each(first, end, [&](int position, float score) {
                Value value = 0;
                if (value_of(position, score, value) && value >> low >> width == found.value)
                    atomicAdd(&shared.counts[(value >> low) & ((1U << width) - 1)], 1U);
            });
            __syncthreads();
            const Digit digit = digit_at(shared, found.rank);
            found.value = found.value << width | digit.value;
            found.rank -= digit.before;
            found.count = digit.count;
            if (early && found.count == found.rank + 1)
                break;
        }
        found.value = ((found.value + 1) << low) - 1;
        return found;
    }

    /// The cut behind the first `count` positions by value and, among equal ones, by position.
    template <typename Value, typename ValueOf> __device__ Cut<Value> cut_behind(
        Shared& shared, const Row& row, int first, int end, int bits, unsigned count, const ValueOf& value_of)
    {
        const Found<Value> found = find<Value, true>(shared, row, first, end, bits, count - 1, value_of);
        if (found.count == found.rank + 1)
            return { found.value, end };
        const auto last = find<unsigned, true>(shared, row, first, end, 32 - __clz(row.context), found.rank,
            [&](int position, float score, unsigned& value) {
                Value own = 0;
                value = static_cast<unsigned>(position);
                return value_of(position, score, own) && own == found.value;
            });
        return { found.value, static_cast<int>(last.value) };
    }

    template <typename Value> __device__ bool is_taken(const Cut<Value>& cut, Value value, int position)
    {
        return value < cut.value || (value == cut.value && position <= cut.last);
    }

    __device__ void find_bad(const Row& row, int64_t begin, unsigned long long* first_bad)
    {
        row.each(0, row.context, [&](int position, float score) {
            if (!isfinite(score))
                atomicMin(first_bad, static_cast<unsigned long long>(begin + position));
        });
    }

    /// One block a row and plan. The second-level cache holds the row: a copy of it in shared memory was no quicker.
    __global__ void __launch_bounds__(threads)
        select_rows(const float* __restrict__ scores, int context, const PlanBatch batch, unsigned long long* first_bad)
    {
        __shared__ Shared shared;
        const int64_t begin = static_cast<int64_t>(blockIdx.x / batch.count) * context;
        const SelectPlan& plan = batch.plans[blockIdx.x % batch.count];
        const Row row { scores + begin, context };
        if (blockIdx.x % batch.count == 0)
            find_bad(row, begin, first_bad);
        const SelectCounts counts = counts_of(plan, context);
        const auto first = static_cast<int>(counts.first);
        const auto end = static_cast<int>(counts.end);
        const auto highest = static_cast<int>(counts.highest);
        const auto wanted = static_cast<int>(counts.median);
        const int rest = end - first - highest;

        const auto by_score = [](int, float score, unsigned& value) {
            value = ordinal_of(score);
            return true;
        };
        Cut<unsigned> top = { rest == 0 ? ~0U : 0U, rest == 0 ? end : -1 };
        if (highest > 0 && rest > 0)
            top = cut_behind<unsigned>(shared, row, first, end, 32, highest, by_score);
        Cut<unsigned long long> near = { wanted == rest ? ~0ULL : 0ULL, wanted == rest ? end : -1 };
        double median = 0;
        if (wanted > 0 && wanted < rest) {
            median = score_of(find<unsigned, false>(shared, row, first, end, 32, highest + rest / 2, by_score).value);
            near = cut_behind<unsigned long long>(
                shared, row, first, end, 63, wanted, [&](int position, float score, unsigned long long& value) {
                    value = cost_of(score, median);
                    return !is_taken(top, ordinal_of(score), position);
                });
        }
        uint8_t* labels = plan.labels + begin; // (context)
        row.each(0, context, [&](int position, float score) {
            RowLabel label = RowLabel::evicted;
            if (position < first)
                label = RowLabel::sink;
            else if (position >= end)
                label = RowLabel::local;
            else if (is_taken(top, ordinal_of(score), position))
                label = RowLabel::important;
            else if (is_taken(near, cost_of(score, median), position))
                label = RowLabel::bridge;
            labels[position] = static_cast<uint8_t>(label);
        });
    }

} // namespace

void select_cuda(const SelectInputs& inputs, std::int64_t* first_bad, void* stream)
{
    const auto cuda_stream = static_cast<cudaStream_t>(stream);
    auto* bad = reinterpret_cast<unsigned long long*>(first_bad);
    KEEPSET_CHECK_CUDA(cudaMemsetAsync(bad, 0xff, sizeof *bad, cuda_stream)); // -1, and the highest unsigned number
    for (std::int64_t begin = 0; begin < inputs.plan_count; begin += plans_of_launch) {
        PlanBatch batch {};
        batch.count = static_cast<unsigned>(std::min<std::int64_t>(plans_of_launch, inputs.plan_count - begin));
        std::copy_n(inputs.plans + begin, batch.count, batch.plans);
        const auto blocks = static_cast<unsigned>(inputs.rows * batch.count);
        if (blocks > 0 && inputs.context > 0)
            select_rows<<<blocks, threads, 0, cuda_stream>>>(
                inputs.scores, static_cast<int>(inputs.context), batch, bad);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }
}

} // namespace keepset::kernels
