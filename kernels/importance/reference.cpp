#include "kernels/importance/importance.h"

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
    const double score = score_of(
        dot * static_cast<double>(shape.scale), static_cast<double>(shape.softcap), static_cast<double>(bias));
    // An infinite lse is no share of 0 either.
    const double exponent = score - static_cast<double>(inputs.row_lse[head * lse_stride(shape) + query]);
    return std::isfinite(exponent) ? std::exp(exponent) : std::numeric_limits<double>::quiet_NaN();
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
