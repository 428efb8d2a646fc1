#include "core/analysis.h"
#include "core/error.h"
#include "core/policy/select.h"
#include "tests/support/made_analysis.h"
#include "tests/support/test_main.h"

#include <algorithm>
#include <tuple>

using namespace keepset;

namespace {

constexpr std::int64_t layers = 3;
constexpr std::int64_t kv_heads = 2;
constexpr std::int64_t heads = 4;
constexpr std::int64_t context = 41;

Analysis made_up()
{
    Analysis a = made::analysis_by_chance({ layers, heads, kv_heads, context }).analysis;
    std::vector<float>& own = a.own_scores["knorm"];
    own[5] = own[context + 5] = own[3 * context + 2] = 0.5F; // ties across rows
    return a;
}

SelectRequest request_for(const std::string& policy, double sparsity = 0.6)
{
    SelectRequest request;
    request.policy = parse_policy(policy);
    request.sparsity = sparsity;
    return request;
}

/// By the definition: the highest of all rows together, by score, then position, then row; both ends first.
std::vector<bool> kept_by_sorting(const std::vector<float>& scores, std::int64_t budget, std::int64_t sinks)
{
    std::vector<std::tuple<int, float, std::int64_t, std::int64_t>> order;
    for (std::int64_t row = 0; row < layers * kv_heads; ++row) {
        for (std::int64_t j = 0; j < context; ++j)
            order.emplace_back(j < sinks ? 0 : 1, -scores[static_cast<std::size_t>(row * context + j)], j, row);
    }
    std::ranges::sort(order);
    std::vector<bool> kept(scores.size(), false);
    for (std::int64_t index = 0; index < budget; ++index) {
        const auto& [end, score, j, row] = order[static_cast<std::size_t>(index)];
        kept[static_cast<std::size_t>(row * context + j)] = true;
    }
    return kept;
}

std::vector<bool> kept_of(const KeepSet& set)
{
    std::vector<bool> kept;
    for (const Label label : set.labels)
        kept.push_back(label != Label::evicted);
    return kept;
}

} // namespace

/// Rows that share a budget (SEMANTICS 4c).
class TestSharing : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_highest_of_all_rows_are_kept_data()
    {
        QTest::addColumn<QString>("policy");
        QTest::addColumn<int>("sinks");
        QTest::newRow("own score") << QString("knorm(uniform=false)") << 0;
        QTest::newRow("with sinks") << QString("knorm(sink=3,uniform=false)") << 3;
        QTest::newRow("kvzip") << QString("kvzip") << 4;
    }
    void the_highest_of_all_rows_are_kept()
    {
        QFETCH(QString, policy);
        QFETCH(int, sinks);
        Analysis a = made_up();
        a.own_scores["kvzip"] = a.own_scores["knorm"];
        for (const double sparsity : { 0.0, 0.3, 0.6, 0.9 }) {
            SelectRequest request = request_for(policy.toStdString(), sparsity);
            const KeepSet set = select(a, request);
            QCOMPARE(policy::kept_entries(set), set.budget * layers * kv_heads);
            if (sinks * layers * kv_heads <= policy::kept_entries(set))
                QCOMPARE(kept_of(set), kept_by_sorting(a.own_scores["knorm"], policy::kept_entries(set), sinks));
            request.rounding = Rounding::kvpress; // of all rows together
            const auto all = static_cast<double>(layers * kv_heads * context);
            const auto wanted = layers * kv_heads * context - static_cast<std::int64_t>(all * sparsity);
            if (sparsity > 0)
                QCOMPARE(policy::kept_entries(select(a, request)), wanted);
        }
    }

    void rows_need_not_keep_as_many()
    {
        Analysis a = made_up();
        for (std::int64_t j = 0; j < context; ++j)
            a.own_scores["knorm"][static_cast<std::size_t>(2 * context + j)] += 10; // layer 1, kv head 0
        const KeepSet set = select(a, request_for("knorm(uniform=false)"));
        const auto first = set.labels.begin() + 2 * context;
        QCOMPARE(std::count(first, first + context, Label::important), context);
        QVERIFY(select(a, request_for("knorm(uniform=true)")).policy == "knorm");
    }

    void a_row_looked_at_alone_is_that_of_the_model_data()
    {
        QTest::addColumn<QString>("policy");
        for (const char* const policy : { "knorm(uniform=false)", "h2o(uniform=false)", "pyramid(of=h2o)",
                 "pyramid(of=knorm)", "ada(of=knorm,safe=0)", "ada(of=h2o)", "chunkkv(of=knorm,chunk=6)" })
            QTest::newRow(policy) << QString(policy);
    }
    void a_row_looked_at_alone_is_that_of_the_model()
    {
        QFETCH(QString, policy);
        const Analysis a = made_up();
        const SelectRequest request = request_for(policy.toStdString());
        const KeepSet set = select(a, request);
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            for (std::int64_t g = 0; g < kv_heads; ++g) {
                RowScores row = row_scores(a, { layer, g }, request.importance, request.gqa);
                add_shared_rows(a, request.policy, row);
                const RowSelection alone = select_row(row, request);
                const auto first = set.labels.begin() + (layer * kv_heads + g) * context;
                QVERIFY(std::equal(alone.labels.begin(), alone.labels.end(), first));
                QCOMPARE(alone.budget, context - std::count(first, first + context, Label::evicted));
                for (std::int64_t j = 0; j < context; j += 7)
                    QVERIFY(explain(row, alone, request, j).sentence.size() > 20);
            }
        }
    }

    void the_rows_that_share_a_budget_must_be_there()
    {
        const Analysis a = made_up();
        RowScores row = row_scores(a, { 1, 0 }, Importance::cumulative, GqaReduction::mean);
        add_shared_rows(a, parse_policy("h2o"), row);
        QVERIFY(row.shared.empty()); // nobody pays for what one policy needs
        QVERIFY_EXCEPTION_THROWN(select_row(row, request_for("ada(of=knorm)")), Error);
        add_shared_rows(a, parse_policy("ada(of=knorm)"), row);
        QCOMPARE(row.shared.at(Sharing::layer).at("knorm").size(), std::size_t { kv_heads * context });
        select_row(row, request_for("ada(of=knorm)"));
    }

    void chunks_with_protected_tokens_come_first()
    {
        const Analysis a = made_up();
        for (const char* const policy :
            { "chunkkv(of=snapkv,chunk=5,sink=1)", "chunkkv(of=h2o,chunk=5,sink=1,recent=1)" }) {
            Analysis scored = a;
            scored.own_scores["snapkv"] = a.own_scores.at("knorm");
            const KeepSet set = select(scored, request_for(policy, 0.75)); // 2 of 9 chunks, fewer than the window has
            for (std::int64_t row = 0; row < layers * kv_heads; ++row)
                QVERIFY(set.labels[static_cast<std::size_t>(row * context)] != Label::evicted);
        }
    }

    void wrappers_share_budgets_themselves()
    {
        for (const char* const wrong : { "ada(of=knorm(uniform=false))", "pyramid(of=kvzip)",
                 "chunkkv(of=h2o(uniform=false))", "criticalkv(of=snapkv(uniform=false))" })
            QVERIFY_EXCEPTION_THROWN(parse_policy(wrong), Error);
        QCOMPARE(canonical(parse_policy("pyramid(of=kvzip(uniform=true))")), "pyramid(of=kvzip(uniform=true))");
        for (const char* const none : { "recent(uniform=false)", "random(uniform=false)", "ada(uniform=false)" })
            QVERIFY_EXCEPTION_THROWN(parse_policy(none), Error); // nothing to rank by, or a budget shared already
    }
};

KEEPSET_TEST(TestSharing)
#include "tst_sharing.moc"
