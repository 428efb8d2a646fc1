#include "tests/kernels/importance_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

constexpr double exponential_error = 2e-7; // of our own float exp
constexpr double tangent_error = 3e-7; // and tanh

/// Returns (heads, keys).
std::vector<float> cpu_sums(const ImportanceCase& values)
{
    std::vector<float> sums(static_cast<std::size_t>(values.shape.heads * values.shape.keys));
    importance_cpu(values.inputs(), sums.data(), 2);
    return sums;
}

} // namespace

class TestImportancePacked : public QObject {
    Q_OBJECT

    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void the_reference_keeps_packed_sequences_apart()
    {
        // Equal keys: each sequence has the harmonic sums of its own length.
        ImportanceCase values = make_case({ 2, 1, 4, 50, 50 }, true, 0);
        values.query_starts = { 0, 20, 20, 50 };
        values.key_starts = { 0, 20, 20, 50 };
        values.normalise();
        const std::vector<double> sums = reference_sums(values);
        for (std::size_t head = 0; head < 2; ++head) {
            double harmonic = 0;
            for (std::size_t key = 50; key-- > 0;) {
                harmonic = (key == 19 ? 0 : harmonic) + 1 / static_cast<double>(key < 20 ? key + 1 : key - 19);
                QVERIFY(std::abs(sums[head * 50 + key] - harmonic) < 1e-6 * harmonic);
            }
        }
    }

    void packed_sequences_agree_with_the_reference()
    {
        for (int round = 0; round < 40; ++round) {
            const ImportanceCase values = random_packed_case(random_);
            const std::string wrong = first_disagreement(values, cpu_sums(values), exponential_error, tangent_error);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void packed_sequences_equal_each_alone()
    {
        const ImportanceCase values = random_packed_case(random_);
        const std::vector<float> together = cpu_sums(values);
        std::vector<float> apart(together.size());
        const std::size_t keys = static_cast<std::size_t>(values.shape.keys);
        for (std::size_t at = 0; at + 1 < values.key_starts.size(); ++at) {
            ImportanceInputs one = values.inputs();
            one.packed = {};
            one.shape.queries = values.query_starts[at + 1] - values.query_starts[at];
            one.shape.keys = values.key_starts[at + 1] - values.key_starts[at];
            one.shape.query_begin = one.shape.keys - one.shape.queries;
            one.q = values.q.data() + values.query_starts[at] * values.shape.q_token_stride;
            one.k = values.k.data() + values.key_starts[at] * values.shape.k_token_stride;
            std::vector<float> lse; // (heads, queries of the sequence), contiguous
            std::vector<float> bias; // (heads, keys of the sequence)
            for (std::int64_t head = 0; head < values.shape.heads; ++head) {
                const float* row = values.lse.data() + head * values.shape.queries;
                lse.insert(lse.end(), row + values.query_starts[at], row + values.query_starts[at + 1]);
                if (!values.bias.empty()) {
                    const float* biases = values.bias.data() + head * values.shape.keys;
                    bias.insert(bias.end(), biases + values.key_starts[at], biases + values.key_starts[at + 1]);
                }
            }
            one.row_lse = lse.data();
            one.key_bias = bias.empty() ? nullptr : bias.data();
            const std::size_t own = static_cast<std::size_t>(one.shape.keys);
            std::vector<float> sums(static_cast<std::size_t>(values.shape.heads) * own);
            importance_cpu(one, sums.data(), 1);
            for (std::size_t head = 0; head < static_cast<std::size_t>(values.shape.heads); ++head)
                std::copy_n(sums.data() + head * own, own,
                    apart.data() + head * keys + static_cast<std::size_t>(values.key_starts[at]));
        }
        QVERIFY2(together == apart, values.describe().c_str());
    }
};

KEEPSET_TEST(TestImportancePacked)
#include "tst_importance_packed.moc"
