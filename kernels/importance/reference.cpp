#include "kernels/importance/importance.h"
#include "kernels/score_rule.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace keepset::kernels {

namespace {

    struct DoubleMath {
        static double tanh(double x) { return std::tanh(x); }
        static double exp(double x) { return std::exp(x); }
        static bool is_finite(double x) { return std::isfinite(x); }
        static double nan() { return std::numeric_limits<double>::quiet_NaN(); }
    };

} // namespace

double probability_reference(const ImportanceInputs& inputs, std::int64_t head, std::int64_t query, std::int64_t key)
{
    const AttentionShape& shape = inputs.shape;
    const std::int64_t group = shape.heads / shape.kv_heads;
    const float* q
        = static_cast<const float*>(inputs.q) + head * shape.q_head_stride + query * shape.q_token_stride; // (head_dim)
    const float* k = static_cast<const float*>(inputs.k) + head / group * shape.k_head_stride
        + key * shape.k_token_stride; // (head_dim)
    double dot = 0;
    for (std::int64_t dim = 0; dim < shape.head_dim; ++dim)
        dot += static_cast<double>(q[dim]) * static_cast<double>(k[dim]);
    const float bias = inputs.key_bias == nullptr ? 0.0F : inputs.key_bias[head * sum_stride(shape) + key];
    const auto softcap = static_cast<double>(shape.softcap);
    // Float products cannot overflow a double: what is not finite was not finite in the inputs.
    return probability_of<DoubleMath>(dot * score_factor(static_cast<double>(shape.scale), softcap), softcap,
        static_cast<double>(bias), static_cast<double>(inputs.row_lse[head * lse_stride(shape) + query]));
}

namespace {

    void one_sequence(const ImportanceInputs& inputs, double* sums)
    {
        const AttentionShape& shape = inputs.shape;
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::int64_t query = 0; query < shape.queries; ++query) {
                for (std::int64_t key = first_key_of(shape, query); key < shape.keys && sees(shape, query, key); ++key)
                    sums[head * sum_stride(shape) + key] += probability_reference(inputs, head, query, key);
            }
        }
    }

} // namespace

void importance_reference(const ImportanceInputs& inputs, double* sums)
{
    for (std::int64_t sequence = 0; sequence < sequences_of(inputs); ++sequence)
        one_sequence(sequence_of(inputs, sequence), sums + first_key_column(inputs, sequence));
}

} // namespace keepset::kernels
