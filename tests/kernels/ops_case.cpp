#include "tests/kernels/ops_case.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

namespace keepset::kernels::test {

namespace {

    std::int64_t between(std::int64_t low, std::int64_t high, std::mt19937& random)
    {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    }

    std::vector<float> normal(std::int64_t count, std::mt19937& random)
    {
        std::normal_distribution<float> values;
        std::vector<float> found(static_cast<std::size_t>(count));
        std::ranges::generate(found, [&] { return values(random); });
        return found;
    }

} // namespace

ScoreRowsCase random_score_rows(std::mt19937& random)
{
    ScoreRowsCase found;
    ScoreRowsInputs& inputs = found.inputs;
    inputs.layers = between(1, 3, random);
    inputs.kv_heads = between(1, 4, random);
    inputs.heads = inputs.kv_heads * between(1, 7, random);
    inputs.context = between(1, 700, random);
    const std::int64_t sharing[] = { 1, inputs.kv_heads, inputs.layers * inputs.kv_heads };
    inputs.together = sharing[between(0, 2, random)];
    inputs.reduction = static_cast<GroupReduction>(between(0, 2, random));
    inputs.per_query = between(0, 1, random) == 1;
    if (between(0, 1, random) == 1) {
        for (std::int64_t layer = 0; layer < inputs.layers; ++layer)
            found.windows.push_back(between(0, 2, random) == 0 ? 0 : between(1, inputs.context + 9, random));
    }
    found.importance = normal(inputs.layers * inputs.heads * inputs.context, random);
    for (float& value : found.importance)
        value = std::exp(4 * value);
    if (between(0, 1, random) == 1) {
        found.ranked = normal(inputs.layers * inputs.heads * inputs.context, random);
        for (float& value : found.ranked)
            value = std::exp(4 * value);
    }
    if (between(0, 3, random) == 0) {
        const float odd[] = { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 0.0F };
        const auto last = static_cast<std::int64_t>(found.importance.size()) - 1;
        found.importance[static_cast<std::size_t>(between(0, last, random))] = odd[between(0, 2, random)];
    }
    return found;
}

KeptRowsCase random_kept_rows(std::mt19937& random)
{
    KeptRowsCase found;
    KeptRowsInputs& inputs = found.inputs;
    inputs.plans = between(1, 4, random);
    inputs.score_rows = between(1, 5, random);
    inputs.sharing = between(1, 3, random);
    inputs.context = between(1, 1000, random);
    const std::int64_t odds = between(0, 9, random); // of ten positions as many are kept
    found.labels.resize(static_cast<std::size_t>(inputs.plans * inputs.score_rows * inputs.context));
    for (std::uint8_t& label : found.labels)
        label = static_cast<std::uint8_t>(between(0, 9, random) < odds ? between(1, 5, random) : 0);
    found.scores.resize(static_cast<std::size_t>(inputs.score_rows * inputs.context));
    const std::int64_t levels = between(1, 2, random) == 1 ? 3 : 100000;
    for (float& score : found.scores)
        score = static_cast<float>(between(0, levels, random));
    for (const float value : normal(rows_of(inputs) * inputs.context, random))
        found.mass.push_back(std::exp(static_cast<double>(value)));
    for (std::int64_t plan = 0; plan < inputs.plans; ++plan) {
        for (std::int64_t row = 0; row < rows_of(inputs); ++row) {
            found.starts.push_back(inputs.end);
            const auto first = found.labels.begin()
                + static_cast<std::ptrdiff_t>((plan * inputs.score_rows + row / inputs.sharing) * inputs.context);
            inputs.end += inputs.context - std::count(first, first + static_cast<std::ptrdiff_t>(inputs.context), 0);
        }
    }
    return found;
}

PackCase random_pack(std::mt19937& random)
{
    PackCase found;
    PackInputs& inputs = found.inputs;
    inputs.element_bytes = 4;
    inputs.points = between(1, 5, random);
    inputs.kv_heads = between(1, 4, random);
    inputs.own = between(0, 70, random);
    inputs.head_dim = between(1, 40, random);
    inputs.packed_dim = (inputs.head_dim + 7) / 8 * 8;
    found.context = between(1, 300, random);
    found.keys = normal(inputs.kv_heads * found.context * inputs.head_dim, random);
    found.values = normal(inputs.kv_heads * found.context * inputs.head_dim, random);
    found.own_keys = normal(inputs.points * inputs.kv_heads * inputs.own * inputs.head_dim, random);
    found.own_values = normal(inputs.points * inputs.kv_heads * inputs.own * inputs.head_dim, random);
    inputs.starts_stride = inputs.kv_heads;
    inputs.side_by_side = between(0, 1, random) == 1;
    found.ends.push_back(0);
    std::vector<std::int32_t> all(static_cast<std::size_t>(found.context));
    std::iota(all.begin(), all.end(), 0);
    std::int64_t count = 0;
    for (std::int64_t sequence = 0; sequence < inputs.points * inputs.kv_heads; ++sequence) {
        found.starts.push_back(static_cast<std::int64_t>(found.positions.size()));
        if (!inputs.side_by_side || sequence % inputs.kv_heads == 0)
            count = sequence % 3 == 0 ? 0 : between(0, found.context, random);
        std::ranges::sample(all, std::back_inserter(found.positions), count, random);
        const auto kept = static_cast<std::int64_t>(found.positions.size()) - found.starts.back();
        inputs.longest = std::max(inputs.longest, kept + inputs.own);
        found.ends.push_back(found.ends.back() + static_cast<std::int32_t>(kept + inputs.own));
    }
    return found;
}

LogitCase random_logits(std::int64_t points, std::int64_t targets, std::int64_t vocabulary, std::mt19937& random)
{
    LogitCase found;
    found.inputs.points = points;
    found.inputs.targets = targets;
    found.inputs.vocabulary = vocabulary;
    found.logits = normal(points * targets * vocabulary, random);
    for (float& logit : found.logits)
        logit = 5 * logit - 3;
    for (std::int64_t target = 0; target < targets; ++target) {
        found.wanted.push_back(between(0, vocabulary - 1, random));
        double sum = 0;
        const float* const row = found.logits.data() + target * vocabulary;
        for (std::int64_t v = 0; v < vocabulary; ++v)
            sum += std::exp(static_cast<double>(row[v]));
        for (std::int64_t v = 0; v < vocabulary; ++v)
            found.dense.push_back(static_cast<float>(std::exp(static_cast<double>(row[v])) / sum));
    }
    return found;
}

} // namespace keepset::kernels::test
