#include "core/attention/last_rows.h"
#include "tests/support/test_main.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <QTest>

#include <cmath>

using namespace keepset;

namespace {

struct Case {
    std::int64_t heads, kv_heads, context, head_dim, queries;
    ScoreRule rule;
};

/// Straight from the rule, in double.
double probability(
    const Case& of, const at::Tensor& q, const at::Tensor& k, std::int64_t head, std::int64_t query, std::int64_t key)
{
    const auto q_at = q.accessor<float, 3>();
    const auto k_at = k.accessor<float, 3>();
    const auto score = [&](std::int64_t j) {
        double sum = 0;
        for (std::int64_t d = 0; d < of.head_dim; ++d)
            sum += static_cast<double>(q_at[head][query][d])
                * static_cast<double>(k_at[head / (of.heads / of.kv_heads)][j][d]);
        sum *= of.rule.scale;
        if (of.rule.softcap > 0)
            sum = of.rule.softcap * std::tanh(sum / of.rule.softcap);
        if (of.rule.alibi_slopes.defined())
            sum += static_cast<double>(of.rule.alibi_slopes[head].item<float>()) * static_cast<double>(j)
                * of.rule.alibi_scale;
        return sum;
    };
    const std::int64_t first = of.rule.window > 0 ? std::max<std::int64_t>(0, query - of.rule.window + 1) : 0;
    if (key > query || key < first)
        return 0;
    double all = 0;
    for (std::int64_t j = first; j <= query; ++j)
        all += std::exp(score(j) - score(key));
    return 1 / all;
}

} // namespace

class TestLastRows : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void they_are_those_of_the_rule_data()
    {
        QTest::addColumn<int>("index");
        const char* const names[] { "plain", "one query", "all but one", "caps", "window", "alibi", "all of it" };
        for (int index = 0; index < 7; ++index)
            QTest::newRow(names[index]) << index;
    }
    void they_are_those_of_the_rule()
    {
        QFETCH(int, index);
        at::manual_seed(static_cast<std::uint64_t>(index));
        Case of { 6, 2, 37, 16, index == 1 ? 1 : index == 2 ? 36 : 9, {} };
        of.rule.scale = 0.25;
        if (index == 3 || index == 6)
            of.rule.softcap = 1.5;
        if (index == 4 || index == 6)
            of.rule.window = 5;
        if (index == 5 || index == 6)
            of.rule.alibi_slopes = at::rand({ 6 }) * 0.3;
        const at::Tensor q = at::randn({ of.heads, of.context, of.head_dim }) * 3;
        const at::Tensor k = at::randn({ of.kv_heads, of.context, of.head_dim });
        const at::Tensor p = last_rows(q, k, of.rule, of.queries);
        QCOMPARE(p.sizes(), at::IntArrayRef({ of.heads, of.queries, of.context }));
        const auto p_at = p.accessor<float, 3>();
        double largest = 0;
        for (std::int64_t head = 0; head < of.heads; ++head) {
            for (std::int64_t row = 0; row < of.queries; ++row) {
                for (std::int64_t key = 0; key < of.context; ++key) {
                    const double wanted = probability(of, q, k, head, of.context - of.queries + row, key);
                    largest = std::max(largest, std::abs(static_cast<double>(p_at[head][row][key]) - wanted));
                }
            }
        }
        // Scores of some 10 have an error of 16 products of float32; p that of its score.
        QVERIFY2(largest < 16 * 10 * 6e-8, QByteArray::number(largest));
    }
};

KEEPSET_TEST(TestLastRows)
#include "tst_last_rows.moc"
