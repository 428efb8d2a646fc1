#include "kernels/importance.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace keepset::kernels {

void importance_reference(const ImportanceInputs& inputs, double* sums)
{
    const AttentionShape& shape = inputs.shape;
    const auto* q = static_cast<const float*>(inputs.q); // (heads, queries, head_dim)
    const auto* k = static_cast<const float*>(inputs.k); // (kv_heads, keys, head_dim)
    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
    const std::int64_t group = shape.heads / shape.kv_heads;
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        for (std::int64_t query = 0; query < shape.queries; ++query) {
            const float* q_row = q + head * shape.q_head_stride + query * shape.q_token_stride;
            const double lse = inputs.row_lse[head * shape.queries + query];
            for (std::int64_t key = 0; key < shape.keys && sees(shape, query, key); ++key) {
                const float* k_row = k + head / group * shape.k_head_stride + key * shape.k_token_stride;
                double dot = 0;
                for (std::int64_t dim = 0; dim < shape.head_dim; ++dim)
                    dot += static_cast<double>(q_row[dim]) * static_cast<double>(k_row[dim]);
                // float products cannot overflow a double: what is not finite here was not finite in the inputs, and an
                // infinite score must not hide as exp(-inf) = 0.
                const double exponent = dot * static_cast<double>(shape.scale) - lse;
                sums[head * shape.keys + key] += std::isfinite(exponent) ? std::exp(exponent) : not_a_number;
            }
        }
    }
}

} // namespace keepset::kernels
