#include "tests/kernels/importance_case.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace keepset::kernels::test {

namespace {

    struct Score {
        double dot = 0; ///< scale·q·k
        double magnitude = 0; ///< |scale|·Σ|q·k|
        double capped = 0; ///< dot after the cap
        double value = 0; ///< with the bias
    };

    std::size_t index_of(std::int64_t row, std::int64_t columns, std::int64_t column)
    {
        return static_cast<std::size_t>(row * columns + column);
    }

    Score score(const ImportanceCase& values, std::int64_t head, std::int64_t query, std::int64_t key)
    {
        const AttentionShape& shape = values.shape;
        const std::int64_t kv_head = head / (shape.heads / shape.kv_heads);
        const float* q = values.q.data() + head * shape.q_head_stride + query * shape.q_token_stride;
        const float* k = values.k.data() + kv_head * shape.k_head_stride + key * shape.k_token_stride;
        Score result;
        for (std::int64_t dim = 0; dim < shape.head_dim; ++dim) {
            const double product = static_cast<double>(q[dim]) * static_cast<double>(k[dim]);
            result.dot += product * static_cast<double>(shape.scale);
            result.magnitude += std::abs(product * static_cast<double>(shape.scale));
        }
        const auto cap = static_cast<double>(shape.softcap);
        result.capped = cap == 0 ? result.dot : cap * std::tanh(result.dot / cap);
        result.value = result.capped;
        if (!values.bias.empty())
            result.value += static_cast<double>(values.bias[index_of(head, shape.keys, key)]);
        return result;
    }

    /// One sequence of a case: its shape, and where its rows lie.
    struct Part {
        AttentionShape shape;
        std::int64_t first_query = 0;
        std::int64_t first_key = 0;
    };

    std::vector<Part> parts_of(const ImportanceCase& values)
    {
        const ImportanceInputs inputs = values.inputs();
        std::vector<Part> parts;
        for (std::int64_t sequence = 0; sequence < sequences_of(inputs); ++sequence) {
            const std::int64_t first_query
                = values.query_starts.empty() ? 0 : values.query_starts[static_cast<std::size_t>(sequence)];
            parts.push_back({ sequence_of(inputs, sequence).shape, first_query, first_key_column(inputs, sequence) });
        }
        return parts;
    }

    void normalise_row(ImportanceCase& values, const Part& part, std::int64_t head, std::int64_t query)
    {
        std::vector<double> scores;
        for (std::int64_t key = 0; key < part.shape.keys; ++key) {
            if (sees(part.shape, query, key))
                scores.push_back(score(values, head, part.first_query + query, part.first_key + key).value);
        }
        if (scores.empty()) // a window beyond the last key, or a query before the first
            return;
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (const double value : scores)
            sum += std::exp(value - largest);
        values.lse[index_of(head, values.shape.queries, part.first_query + query)]
            = static_cast<float>(largest + std::log(sum));
    }

    /// probability_bound without what underflows. Query and key count over all sequences.
    double probability_bound_of(const ImportanceCase& values, const Pair& pair, double exponential, double tangent)
    {
        const AttentionShape& shape = values.shape;
        constexpr double unit = 0x1p-24; // half a unit in the last place of a float, relative
        const Score s = score(values, pair.head, pair.query, pair.key);
        const double lse = values.lse[index_of(pair.head, shape.queries, pair.query)];
        const double exponent = s.value - lse;
        // The cap's slope is at most 1, so it makes no error of the product larger.
        const std::int64_t roundings = shape.head_dim + (shape.softcap == 0 ? 2 : 4);
        const double products = static_cast<double>(roundings) * s.magnitude;
        const double cap = shape.softcap == 0 ? 0 : (tangent + 3 * unit) * std::abs(s.capped);
        const double bias = values.bias.empty() ? 0 : std::abs(s.value);
        const double in_exponent = (unit * (products + bias + std::abs(exponent)) + cap) * 1.01;
        const double in_sum = 32 * unit; // additions in a row before the sum goes to double, and the result
        return std::exp(exponent) * (std::expm1(in_exponent) + exponential + in_sum);
    }

    /// error_bound of one key of a sequence.
    double bound_of(const ImportanceCase& values, const Part& part, std::int64_t head, std::int64_t key,
        double exponential, double tangent)
    {
        double bound = 0x1p-120; // what underflows
        for (std::int64_t query = 0; query < part.shape.queries; ++query) {
            if (sees(part.shape, query, key))
                bound += probability_bound_of(
                    values, { head, part.first_query + query, part.first_key + key }, exponential, tangent);
        }
        return bound;
    }

    AttentionShape random_shape(std::mt19937& random, Rows rows)
    {
        const auto pick = [&](std::int64_t low, std::int64_t high) {
            return std::uniform_int_distribution<std::int64_t>(low, high)(random);
        };
        AttentionShape shape;
        shape.kv_heads = pick(1, 3);
        shape.heads = shape.kv_heads * pick(1, 7);
        shape.head_dim = rows == Rows::any ? pick(1, 160) : 16 * pick(1, 16);
        shape.queries = pick(1, pick(0, 3) == 0 ? 8 : 150);
        shape.query_begin = pick(0, 1) * pick(0, 150);
        shape.keys = std::max<std::int64_t>(1, shape.query_begin + shape.queries - pick(0, 1) * pick(-40, 40));
        return shape;
    }

} // namespace

ImportanceInputs ImportanceCase::inputs() const
{
    ImportanceInputs inputs;
    inputs.shape = shape;
    inputs.q = q.data();
    inputs.k = k.data();
    inputs.row_lse = lse.data();
    inputs.key_bias = bias.empty() ? nullptr : bias.data();
    if (!query_starts.empty())
        inputs.packed = { static_cast<std::int64_t>(query_starts.size()) - 1, query_starts.data(), key_starts.data() };
    return inputs;
}

float& ImportanceCase::q_at(std::int64_t head, std::int64_t query, std::int64_t dim)
{
    return q[static_cast<std::size_t>(head * shape.q_head_stride + query * shape.q_token_stride + dim)];
}

float& ImportanceCase::k_at(std::int64_t kv_head, std::int64_t key, std::int64_t dim)
{
    return k[static_cast<std::size_t>(kv_head * shape.k_head_stride + key * shape.k_token_stride + dim)];
}

void ImportanceCase::normalise()
{
    for (const Part& part : parts_of(*this)) {
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t head = 0; head < shape.heads; ++head) {
            for (std::int64_t query = 0; query < part.shape.queries; ++query)
                normalise_row(*this, part, head, query);
        }
    }
}

std::string ImportanceCase::describe() const
{
    std::ostringstream text;
    text << "heads " << shape.heads << ", kv_heads " << shape.kv_heads << ", head_dim " << shape.head_dim
         << ", queries " << shape.queries << ", keys " << shape.keys << ", query_begin " << shape.query_begin
         << ", q strides " << shape.q_head_stride << " " << shape.q_token_stride << ", k strides "
         << shape.k_head_stride << " " << shape.k_token_stride << ", window " << shape.window << ", softcap "
         << shape.softcap << (bias.empty() ? "" : ", biased");
    for (std::size_t at = 0; at + 1 < query_starts.size(); ++at)
        text << (at == 0 ? ", packed " : " + ") << query_starts[at + 1] - query_starts[at] << "/"
             << key_starts[at + 1] - key_starts[at];
    return text.str();
}

ImportanceCase make_case(AttentionShape shape, bool token_first, std::int64_t padding)
{
    const std::int64_t row = shape.head_dim + padding;
    shape.q_head_stride = token_first ? row : row * shape.queries;
    shape.q_token_stride = token_first ? row * shape.heads : row;
    shape.k_head_stride = token_first ? row : row * shape.keys;
    shape.k_token_stride = token_first ? row * shape.kv_heads : row;
    if (shape.scale == 0)
        shape.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
    ImportanceCase values;
    values.shape = shape;
    values.q.resize(static_cast<std::size_t>(row * shape.heads * shape.queries));
    values.k.resize(static_cast<std::size_t>(row * shape.kv_heads * shape.keys));
    values.lse.resize(static_cast<std::size_t>(shape.heads * shape.queries));
    return values;
}

ImportanceCase normal_case(const AttentionShape& shape, std::mt19937& random, Rows rows)
{
    std::uniform_int_distribution<int> padding(0, 5);
    ImportanceCase values = make_case(shape, padding(random) % 2 == 0, (rows == Rows::any ? 1 : 8) * padding(random));
    std::normal_distribution<float> normal;
    std::generate(values.q.begin(), values.q.end(), [&] { return normal(random); });
    std::generate(values.k.begin(), values.k.end(), [&] { return normal(random); });
    values.normalise();
    return values;
}

ImportanceCase biased_case(const AttentionShape& shape, std::mt19937& random, Rows rows)
{
    ImportanceCase values = normal_case(shape, random, rows);
    std::normal_distribution<float> noise;
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        for (std::int64_t key = 0; key < shape.keys; ++key)
            values.bias.push_back(0.5F / static_cast<float>(head + 1) * static_cast<float>(key) + noise(random));
    }
    values.normalise();
    return values;
}

ImportanceCase random_case(std::mt19937& random, Rows rows)
{
    return normal_case(random_shape(random, rows), random, rows);
}

ImportanceCase random_rule_case(std::mt19937& random, Rows rows)
{
    std::uniform_int_distribution<int> kinds(1, 7); // a bit each for window, cap and bias
    const int kind = kinds(random);
    AttentionShape shape = random_shape(random, rows);
    if ((kind & 1) != 0) {
        std::uniform_int_distribution<std::int64_t> wide(1, 2 * shape.keys);
        std::uniform_int_distribution<std::int64_t> narrow(1, 8);
        shape.window = wide(random) % 3 == 0 ? narrow(random) : wide(random);
    }
    if ((kind & 2) != 0)
        shape.softcap = std::uniform_real_distribution<float>(0.5F, 50.0F)(random);
    return (kind & 4) != 0 ? biased_case(shape, random, rows) : normal_case(shape, random, rows);
}

ImportanceCase random_packed_case(std::mt19937& random, Rows rows)
{
    const auto pick = [&](std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    };
    ImportanceCase values;
    std::vector<std::int64_t> query_starts = { 0 };
    std::vector<std::int64_t> key_starts = { 0 };
    for (std::int64_t sequences = pick(1, 5); sequences > 0; --sequences) {
        const std::int64_t keys = pick(0, pick(0, 2) == 0 ? 3 : 150);
        query_starts.push_back(query_starts.back() + (pick(0, 2) == 0 ? pick(0, 150) : keys));
        key_starts.push_back(key_starts.back() + keys);
    }
    values = random_rule_case(random, rows);
    AttentionShape shape = values.shape;
    const bool biased = !values.bias.empty();
    shape.query_begin = 0;
    shape.queries = query_starts.back();
    shape.keys = key_starts.back();
    values = biased ? biased_case(shape, random, rows) : normal_case(shape, random, rows);
    values.query_starts = query_starts;
    values.key_starts = key_starts;
    values.normalise();
    return values;
}

ImportanceCase long_case(const AttentionShape& shape, std::mt19937& random)
{
    ImportanceCase values = make_case(shape, true, 0);
    std::normal_distribution<float> normal;
    std::generate(values.q.begin(), values.q.end(), [&] { return normal(random); });
    std::generate(values.k.begin(), values.k.end(), [&] { return normal(random); });
    for (std::size_t at = 0; at < values.lse.size(); ++at)
        values.lse[at] = 0.5F
            + std::log(static_cast<float>(shape.query_begin + static_cast<std::int64_t>(at) % shape.queries
                + 1)); // the mean of e^normal is e^0.5
    return values;
}

std::vector<double> reference_sums(const ImportanceCase& values)
{
    std::vector<double> sums(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    importance_reference(values.inputs(), sums.data());
    return sums;
}

double reference_sum(const ImportanceCase& values, std::int64_t head, std::int64_t key)
{
    // The key alone: seen from it, the first query stands at query_begin - key.
    const AttentionShape& shape = values.shape;
    ImportanceInputs one = values.inputs();
    one.shape.heads = 1;
    one.shape.kv_heads = 1;
    one.shape.keys = 1;
    one.shape.query_begin -= key;
    one.q = values.q.data() + head * shape.q_head_stride;
    one.k = values.k.data() + head / (shape.heads / shape.kv_heads) * shape.k_head_stride + key * shape.k_token_stride;
    one.row_lse += head * shape.queries;
    if (one.key_bias != nullptr)
        one.key_bias += head * shape.keys + key;
    double sum = 0;
    importance_reference(one, &sum);
    return sum;
}

double probability_bound(const ImportanceCase& values, const Pair& pair, double exponential, double tangent)
{
    return probability_bound_of(values, pair, exponential, tangent) + 0x1p-126; // what underflows
}

std::vector<double> error_bound(const ImportanceCase& values, double exponential, double tangent)
{
    std::vector<double> bounds(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    for (const Part& part : parts_of(values)) {
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t head = 0; head < values.shape.heads; ++head) {
            for (std::int64_t key = 0; key < part.shape.keys; ++key)
                bounds[index_of(head, values.shape.keys, part.first_key + key)]
                    = bound_of(values, part, head, key, exponential, tangent);
        }
    }
    return bounds;
}

std::string first_disagreement(
    const ImportanceCase& values, const std::vector<float>& sums, double exponential, double tangent)
{
    const std::vector<double> expected = reference_sums(values);
    const std::vector<double> bounds = error_bound(values, exponential, tangent);
    for (std::size_t at = 0; at < expected.size(); ++at) {
        if (std::abs(static_cast<double>(sums[at]) - expected[at]) <= bounds[at])
            continue;
        std::ostringstream text;
        text.precision(10);
        text << values.describe() << ": sum " << at << " is " << sums[at] << ", the reference " << expected[at]
             << ", bound " << bounds[at];
        return text.str();
    }
    return {};
}

const std::vector<std::pair<const char*, AttentionShape>>& awkward_shapes()
{
    static const std::vector<std::pair<const char*, AttentionShape>> shapes = {
        { "one token", { 1, 1, 1, 1, 1 } },
        { "GQA 7:1, head_dim 33", { 7, 1, 33, 130, 130 } },
        { "head_dim 64", { 2, 1, 64, 513, 513 } },
        { "head_dim 80", { 4, 2, 80, 129, 129 } },
        { "head_dim 96", { 2, 1, 96, 257, 257 } },
        { "head_dim 128", { 7, 1, 128, 300, 300 } },
        { "head_dim 144", { 2, 1, 144, 130, 130 } },
        { "head_dim 256", { 2, 1, 256, 97, 97 } },
        { "head_dim 300", { 1, 1, 300, 70, 70 } },
        { "decode step", { 14, 2, 64, 1, 200, 199 } },
        { "a late block", { 2, 2, 16, 63, 300, 237 } },
        { "more keys than are seen", { 2, 1, 16, 5, 90, 3 } },
        { "more queries than keys", { 3, 1, 8, 200, 3 } },
        { "queries before the first key", { 2, 1, 64, 130, 100, -40 } },
    };
    return shapes;
}

std::vector<AttentionShape> awkward_windows()
{
    std::vector<AttentionShape> shapes;
    const std::vector<AttentionShape> wanted = {
        { 2, 1, 8, 300, 300 },
        { 2, 1, 64, 330, 330 },
        { 2, 2, 16, 63, 300, 237 },
        { 14, 2, 64, 1, 200, 199 },
        { 2, 1, 16, 5, 90, 3 },
        { 3, 1, 8, 200, 3 },
    };
    for (AttentionShape shape : wanted) {
        for (const std::int64_t window : { 1, 2, 6, 16, 63, 64, 65, 199, 257, 1000 }) {
            shape.window = window;
            shapes.push_back(shape);
        }
    }
    return shapes;
}

} // namespace keepset::kernels::test
