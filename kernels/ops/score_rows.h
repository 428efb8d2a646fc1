#pragma once

#include <cstdint>

/// From cumulative importance to the scores that policies rank by (SEMANTICS 2).
namespace keepset::kernels {

enum class GroupReduction : std::uint8_t { mean, max, sum };

/// Importance of all query heads. Group of kv head g: the query heads [g, g + 1) · heads / kv_heads.
struct ScoreRowsInputs {
    const float* importance = nullptr; ///< (layers, heads, context)
    const float* ranked = nullptr; ///< the same, what scores are made of instead; nullptr: `importance`
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t context = 0;
    /// Rows of the model, (layers, kv_heads) in this order, that make one row of scores: 1, kv_heads or all of them.
    std::int64_t together = 1;
    GroupReduction reduction = GroupReduction::mean;
    bool per_query = false; ///< importance is divided by the queries that can see the key
    /// (layers): positions that a query sees in a sliding layer, its own among them; 0: every earlier one. nullptr
    /// where no layer slides.
    const std::int64_t* windows = nullptr;
};

// The same arithmetic on every device, so that keep sets are the same to the last bit: no product is fused into a sum.
#ifdef __CUDACC__
#define KEEPSET_BOTH __host__ __device__
#else
#define KEEPSET_BOTH
#endif

KEEPSET_BOTH inline double product_of(double a, double b)
{
#ifdef __CUDA_ARCH__
    return __dmul_rn(a, b);
#else
    return a * b;
#endif
}

/// What scores are made of: (layers, heads, context).
KEEPSET_BOTH inline const float* ranked_of(const ScoreRowsInputs& inputs)
{
    return inputs.ranked == nullptr ? inputs.importance : inputs.ranked;
}

/// What the query heads of one row of the model come to at one position of `values` (layers, heads, context). A NaN
/// comes through.
KEEPSET_BOTH inline double group_score(const ScoreRowsInputs& inputs, const float* values, std::int64_t row,
    std::int64_t position, GroupReduction reduction)
{
    const std::int64_t group = inputs.heads / inputs.kv_heads;
    const float* const first = values + row * group * inputs.context + position;
    double value = static_cast<double>(first[0]);
    for (std::int64_t head = 1; head < group; ++head) {
        const auto other = static_cast<double>(first[head * inputs.context]);
        if (reduction == GroupReduction::max)
            value = value != value || value > other ? value : other;
        else
            value += other;
    }
    return reduction == GroupReduction::mean ? product_of(value, 1.0 / static_cast<double>(group)) : value;
}

/// Context queries of a layer that can see the key at a position (SEMANTICS 2: n_j).
KEEPSET_BOTH inline std::int64_t queries_that_see(
    const ScoreRowsInputs& inputs, std::int64_t layer, std::int64_t position)
{
    const std::int64_t later = inputs.context - position;
    const std::int64_t window = inputs.windows == nullptr ? 0 : inputs.windows[layer];
    return window > 0 && window < later ? window : later;
}

/// One score: the mean of its rows of the model.
KEEPSET_BOTH inline float score_of_row(const ScoreRowsInputs& inputs, std::int64_t score_row, std::int64_t position)
{
    double sum = 0;
    for (std::int64_t row = score_row * inputs.together; row < (score_row + 1) * inputs.together; ++row) {
        const double value = group_score(inputs, ranked_of(inputs), row, position, inputs.reduction);
        const std::int64_t layer = row / inputs.kv_heads;
        sum += inputs.per_query ? value / static_cast<double>(queries_that_see(inputs, layer, position)) : value;
    }
    return static_cast<float>(sum / static_cast<double>(inputs.together));
}

/// scores (layers · kv_heads / together, context), and mass (layers · kv_heads, context): mean importance over the
/// query heads of a kv head, whatever the reduction.
void score_rows_cpu(const ScoreRowsInputs& inputs, float* scores, double* mass, int threads);

} // namespace keepset::kernels
