#include "tests/kernels/attention_map_case.h"

#include <cmath>

namespace keepset::kernels::test {

AttentionMapInputs map_of(const ImportanceCase& values, std::int64_t head)
{
    AttentionMapInputs map;
    map.attention = values.inputs();
    AttentionShape& shape = map.attention.shape;
    map.attention.q = values.q.data() + head * shape.q_head_stride;
    map.attention.k = values.k.data() + head / (shape.heads / shape.kv_heads) * shape.k_head_stride;
    map.attention.row_lse += head * shape.queries;
    if (map.attention.key_bias != nullptr)
        map.attention.key_bias += head * shape.keys;
    shape.heads = 1;
    shape.kv_heads = 1;
    map.query_end = map.rows = shape.queries;
    map.key_end = map.columns = shape.keys;
    return map;
}

void choose_range(AttentionMapInputs& map, std::mt19937& random)
{
    const auto pick = [&](std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    };
    map.query_begin = pick(0, 1) * pick(0, map.query_end - 1);
    map.query_end = pick(0, 4) == 0 ? map.query_begin + 1 : pick(map.query_begin + 1, map.query_end);
    map.key_begin = pick(0, 1) * pick(0, map.key_end - 1);
    map.key_end = pick(0, 4) == 0 ? map.key_begin + 1 : pick(map.key_begin + 1, map.key_end);
    map.rows = pick(0, 5) == 0 ? 1 : pick(1, map.query_end - map.query_begin);
    map.columns = pick(0, 5) == 0 ? 1 : pick(1, map.key_end - map.key_begin);
    map.reduction = pick(0, 1) == 0 ? CellReduction::max : CellReduction::mean;
}

QString first_disagreement(const ImportanceCase& values, const AttentionMapInputs& map, const std::vector<float>& cells)
{
    std::vector<double> expected(static_cast<std::size_t>(map.rows * map.columns));
    attention_map_reference(map, expected.data());
    if (cells.size() != expected.size())
        return QString("%1 cells, not %2").arg(cells.size()).arg(expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
        const auto found = static_cast<double>(cells[at]);
        const bool equal = std::isnan(expected[at]) ? std::isnan(found)
            : expected[at] < 0                      ? found == expected[at]
                                                    : std::abs(found - expected[at]) <= 3e-5 * expected[at] + 1e-30;
        if (!equal)
            return QString("%1: queries %2-%3, keys %4-%5, %6 x %7 cells, cell %8 is %9, the reference %10")
                .arg(QString::fromStdString(values.describe()))
                .arg(map.query_begin)
                .arg(map.query_end)
                .arg(map.key_begin)
                .arg(map.key_end)
                .arg(map.rows)
                .arg(map.columns)
                .arg(at)
                .arg(found)
                .arg(expected[at]);
    }
    return {};
}

} // namespace keepset::kernels::test
