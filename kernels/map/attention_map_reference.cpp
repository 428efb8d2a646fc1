#include "kernels/map/attention_map.h"

#include <algorithm>
#include <cmath>

namespace keepset::kernels {

namespace {

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
                const double value = probability_reference(map.attention, 0, query, key);
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
