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

    AttentionShape random_shape(std::mt19937& random)
    {
        const auto pick = [&](std::int64_t low, std::int64_t high) {
            return std::uniform_int_distribution<std::int64_t>(low, high)(random);
        };
        AttentionShape shape;
        shape.kv_heads = pick(1, 3);
        shape.heads = shape.kv_heads * pick(1, 7);
        shape.head_dim = pick(1, 160);
        shape.queries = pick(1, pick(0, 3) == 0 ? 8 : 150);
        shape.query_begin = pick(0, 1) * pick(0, 150);
        shape.keys = std::max<std::int64_t>(1, shape.query_begin + shape.queries - pick(0, 1) * pick(-40, 40));
        return shape;
    }

} // namespace

ImportanceInputs ImportanceCase::inputs() const
{
    return { shape, ElementType::float32, q.data(), k.data(), lse.data(), bias.empty() ? nullptr : bias.data() };
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
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        for (std::int64_t query = 0; query < shape.queries; ++query) {
            std::vector<double> scores;
            for (std::int64_t key = 0; key < shape.keys; ++key) {
                if (sees(shape, query, key))
                    scores.push_back(score(*this, head, query, key).value);
            }
            if (scores.empty()) // a window beyond the last key
                continue;
            const double largest = *std::max_element(scores.begin(), scores.end());
            double sum = 0;
            for (const double value : scores)
                sum += std::exp(value - largest);
            lse[static_cast<std::size_t>(head * shape.queries + query)] = static_cast<float>(largest + std::log(sum));
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

ImportanceCase normal_case(const AttentionShape& shape, std::mt19937& random)
{
    std::uniform_int_distribution<int> padding(0, 5);
    ImportanceCase values = make_case(shape, padding(random) % 2 == 0, padding(random));
    std::normal_distribution<float> normal;
    std::generate(values.q.begin(), values.q.end(), [&] { return normal(random); });
    std::generate(values.k.begin(), values.k.end(), [&] { return normal(random); });
    values.normalise();
    return values;
}

ImportanceCase biased_case(const AttentionShape& shape, std::mt19937& random)
{
    ImportanceCase values = normal_case(shape, random);
    std::normal_distribution<float> noise;
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        for (std::int64_t key = 0; key < shape.keys; ++key)
            values.bias.push_back(0.5F / static_cast<float>(head + 1) * static_cast<float>(key) + noise(random));
    }
    values.normalise();
    return values;
}

ImportanceCase random_case(std::mt19937& random) { return normal_case(random_shape(random), random); }

ImportanceCase random_rule_case(std::mt19937& random)
{
    std::uniform_int_distribution<int> kinds(1, 7); // a bit each for window, cap and bias
    const int kind = kinds(random);
    AttentionShape shape = random_shape(random);
    if ((kind & 1) != 0) {
        std::uniform_int_distribution<std::int64_t> wide(1, 2 * shape.keys);
        std::uniform_int_distribution<std::int64_t> narrow(1, 8);
        shape.window = wide(random) % 3 == 0 ? narrow(random) : wide(random);
    }
    if ((kind & 2) != 0)
        shape.softcap = std::uniform_real_distribution<float>(0.5F, 50.0F)(random);
    return (kind & 4) != 0 ? biased_case(shape, random) : normal_case(shape, random);
}

std::vector<double> reference_sums(const ImportanceCase& values)
{
    std::vector<double> sums(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    importance_reference(values.inputs(), sums.data());
    return sums;
}

std::vector<double> error_bound(const ImportanceCase& values, double exponential, double tangent)
{
    const AttentionShape& shape = values.shape;
    constexpr double unit = 0x1p-24; // half a unit in the last place of a float, relative
    std::vector<double> bounds;
    for (std::int64_t head = 0; head < shape.heads; ++head) {
        for (std::int64_t key = 0; key < shape.keys; ++key) {
            double bound = 0x1p-120; // what underflows
            for (std::int64_t query = 0; query < shape.queries; ++query) {
                if (!sees(shape, query, key))
                    continue;
                const Score s = score(values, head, query, key);
                const double exponent = s.value - static_cast<double>(values.lse[index_of(head, shape.queries, query)]);
                // The cap's slope is at most 1, so it makes no error of the product larger.
                const std::int64_t roundings = shape.head_dim + (shape.softcap == 0 ? 2 : 4);
                const double products = static_cast<double>(roundings) * s.magnitude;
                const double cap = shape.softcap == 0 ? 0 : (tangent + 3 * unit) * std::abs(s.capped);
                const double bias = values.bias.empty() ? 0 : std::abs(s.value);
                const double in_exponent = (unit * (products + bias + std::abs(exponent)) + cap) * 1.01;
                const double in_sum = 32 * unit; // additions in a row before the sum goes to double, and the result
                bound += std::exp(exponent) * (std::expm1(in_exponent) + exponential + in_sum);
            }
            bounds.push_back(bound);
        }
    }
    return bounds;
}

} // namespace keepset::kernels::test
