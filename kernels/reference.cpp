#include "kernels/importance.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace keepset::kernels {

namespace {

    /// A score whose sum and bias are finite, else NaN. Float products cannot overflow a double: what is not finite was
    /// not finite in the inputs, and neither an infinite score nor a bias may hide as exp(-inf) = 0 or behind the cap.
    double score_of(double dot, double softcap, double bias)
    {
        if (!std::isfinite(dot) || !std::isfinite(bias))
            return std::numeric_limits<double>::quiet_NaN();
        return (softcap == 0 ? dot : softcap * std::tanh(dot / softcap)) + bias;
    }

    void one_sequence(const ImportanceInputs& inputs, double* sums)
    {
        const AttentionShape& shape = inputs.shape;
        const auto* q = static_cast<const float*>(inputs.q); // (heads, queries, head_dim)
        const auto* k = static_cast<const float*>(inputs.k); // (kv_heads, keys, head_dim)
        constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
        const std::int64_t group = shape.heads / shape.kv_heads;
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::int64_t query = 0; query < shape.queries; ++query) {
                const float* q_row = q + head * shape.q_head_stride + query * shape.q_token_stride;
                const double lse = inputs.row_lse[head * lse_stride(shape) + query];
                for (std::int64_t key = first_key_of(shape, query); key < shape.keys && sees(shape, query, key);
                     ++key) {
                    const float* k_row = k + head / group * shape.k_head_stride + key * shape.k_token_stride;
                    double dot = 0;
                    for (std::int64_t dim = 0; dim < shape.head_dim; ++dim)
                        dot += static_cast<double>(q_row[dim]) * static_cast<double>(k_row[dim]);
                    const float bias
                        = inputs.key_bias == nullptr ? 0.0F : inputs.key_bias[head * sum_stride(shape) + key];
                    const double score = score_of(dot * static_cast<double>(shape.scale),
                        static_cast<double>(shape.softcap), static_cast<double>(bias));
                    const double exponent = score - lse; // an infinite lse is no share of 0 either
                    sums[head * sum_stride(shape) + key] += std::isfinite(exponent) ? std::exp(exponent) : not_a_number;
                }
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
