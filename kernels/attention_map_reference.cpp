#include "kernels/attention_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace keepset::kernels {

namespace {

    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

    double probability(const ImportanceInputs& inputs, std::int64_t query, std::int64_t key)
    {
        const AttentionShape& shape = inputs.shape;
        const float* q = static_cast<const float*>(inputs.q) + query * shape.q_token_stride;
        const float* k = static_cast<const float*>(inputs.k) + key * shape.k_token_stride;
        double score = 0;
        for (std::int64_t dim = 0; dim < shape.head_dim; ++dim)
            score += static_cast<double>(q[dim]) * static_cast<double>(k[dim]);
        score *= static_cast<double>(shape.scale);
        const auto cap = static_cast<double>(shape.softcap);
        if (!std::isfinite(score)) // the cap would hide it
            return not_a_number;
        if (cap != 0)
            score = cap * std::tanh(score / cap);
        if (inputs.key_bias != nullptr)
            score += static_cast<double>(inputs.key_bias[key]);
        const double exponent = score - static_cast<double>(inputs.row_lse[query]);
        return std::isfinite(exponent) ? std::exp(exponent) : not_a_number;
    }

    double cell(const AttentionMapInputs& map, const MapCellRange& range)
    {
        const AttentionShape& shape = map.attention.shape;
        double largest = 0;
        double sum = 0;
        bool seen = false;
        for (std::int64_t query = range.query_begin; query < range.query_end; ++query) {
            for (std::int64_t key = range.key_begin; key < range.key_end; ++key) {
                if (!sees(shape, query, key))
                    continue;
                const double value = probability(map.attention, query, key);
                if (std::isnan(value))
                    return value;
                seen = true;
                sum += value;
                largest = std::max(largest, value);
            }
        }
        if (!seen)
            return static_cast<double>(hidden_cell);
        const std::int64_t positions = (range.query_end - range.query_begin) * (range.key_end - range.key_begin);
        return map.reduction == CellReduction::max ? largest : sum / static_cast<double>(positions);
    }

} // namespace

void attention_map_reference(const AttentionMapInputs& map, double* cells)
{
    for (std::int64_t row = 0; row < map.rows; ++row) {
        for (std::int64_t column = 0; column < map.columns; ++column)
            cells[row * map.columns + column] = cell(map, cell_range(map, row, column));
    }
}

} // namespace keepset::kernels
