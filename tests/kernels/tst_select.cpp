#include "kernels/select/select_variant.h"
#include "tests/kernels/select_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

namespace {

/// Empty where every variant, on one thread and on two, gives what the reference gives; else a sentence.
std::string first_disagreement(const SelectCase& values)
{
    const SelectResult expected = result_of(values, select_reference);
    for (const SelectVariant& variant : select_variants()) {
        for (const int threads : { 1, 2 }) {
            const SelectResult result = result_of(
                values, [&](const SelectInputs& inputs) { return select_cpu_with(variant, inputs, threads); });
            const std::string wrong = difference(values, result, expected);
            if (!wrong.empty())
                return std::string(variant.name) + ", " + wrong;
        }
    }
    return {};
}

/// Labels by one plan on one row, by the reference, which this test holds against what is known.
std::string labels_of(const std::vector<float>& scores, const SelectPlan& plan)
{
    const auto context = static_cast<std::int64_t>(scores.size());
    const SelectResult result = result_of({ scores, 1, context, { plan } }, select_reference);
    std::string text;
    for (const std::uint8_t label : result.labels[0])
        text += ".klibs"[label];
    return text;
}

} // namespace

class TestSelect : public QObject {
    Q_OBJECT

    std::mt19937 random_;

private Q_SLOTS:
    void initTestCase()
    {
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u, widest variant %s", seed, select_variants().back().name);
    }

    void the_reference_fills_in_order_and_gives_ties_to_the_earlier()
    {
        using Scores = std::vector<float>;
        QCOMPARE(labels_of(Scores(6, 1.0F), { 1, 2, 1, 1 }), std::string("sib.ll"));
        QCOMPARE(labels_of({ 0.0F, -0.0F, 0.0F, 5 }, { 0, 0, 2, 0 }), std::string("i..i"));
        // Highest 9; rest 1, 2, 4, 7, 8 with the lower median 4: nearest are 4, 2, then 7 and 1 tie at a distance of 3.
        QCOMPARE(labels_of({ 7, 8, 1, 9, 2, 4 }, { 0, 0, 1, 3 }), std::string("b..ibb"));
        QCOMPARE(labels_of({ 1, 8, 7, 9, 2, 4 }, { 0, 0, 1, 3 }), std::string("b..ibb"));
        // Of an even number the lower one of the two in the middle: 2 of 1, 2, 6, 7.
        QCOMPARE(labels_of({ 7, 6, 2, 1 }, { 0, 0, 0, 2 }), std::string("..bb"));
        // A float32 difference would make the outer two equally far from 1, and the earlier one would be taken.
        QCOMPARE(labels_of({ 16777218, -16777215, 1 }, { 0, 0, 0, 2 }), std::string(".bb"));
        QCOMPARE(labels_of({ 3, 2, 1 }, { 0, 5, 0, 0 }), std::string("lll"));
        QCOMPARE(labels_of({ 3, 2, 1 }, { 2, 5, 9, 9 }), std::string("ssl"));
        QCOMPARE(labels_of({ 3, 2, 1 }, { -1, -1, 2, 9 }), std::string("iib"));
    }

    void every_variant_equals_the_reference_data()
    {
        QTest::addColumn<ScoreKind>("kind");
        for (int kind = 0; kind < score_kinds; ++kind)
            QTest::addRow("kind %d", kind) << static_cast<ScoreKind>(kind);
    }
    void every_variant_equals_the_reference()
    {
        QFETCH(ScoreKind, kind);
        for (int round = 0; round < 150; ++round) {
            const std::int64_t most = round % 3 == 0 ? 20 : round % 3 == 1 ? 300 : 5000;
            const std::int64_t context = 1 + static_cast<std::int64_t>(random_()) % most;
            const auto rows = 1 + static_cast<std::int64_t>(random_() % 3);
            const std::string wrong = first_disagreement(random_case(kind, rows, context, 3, random_));
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void every_count_of_a_short_row_equals_the_reference()
    {
        for (std::int64_t context = 1; context <= 6; ++context) {
            SelectCase values { make_scores(ScoreKind::few_values, 4, context, random_), 4, context, {} };
            for (std::int64_t sinks = 0; sinks <= context; ++sinks) {
                for (std::int64_t local = 0; local <= context; ++local) {
                    for (std::int64_t highest = 0; highest <= context; ++highest) {
                        for (std::int64_t median = 0; median <= context; ++median)
                            values.plans.push_back({ sinks, local, highest, median });
                    }
                }
            }
            const std::string wrong = first_disagreement(values);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void long_rows_equal_the_reference_at_every_budget()
    {
        for (const std::int64_t context : { 32768, 70000 }) {
            for (const ScoreKind kind : { ScoreKind::importance, ScoreKind::all_equal, ScoreKind::close }) {
                SelectCase values { make_scores(kind, 2, context, random_), 2, context, {} };
                for (const std::int64_t budget :
                    { std::int64_t { 1 }, context / 20, context / 2, context - 1, context })
                    values.plans.push_back(cab_plan(budget));
                const std::string wrong = first_disagreement(values);
                QVERIFY2(wrong.empty(), wrong.c_str());
            }
        }
    }

    void the_first_score_that_is_not_finite_is_found()
    {
        for (const float bad : { NAN, -NAN, INFINITY, -INFINITY }) {
            for (int round = 0; round < 20; ++round) {
                SelectCase values = random_case(ScoreKind::importance, 5, 777, 2, random_);
                values.scores[random_() % values.scores.size()] = bad;
                values.scores[random_() % values.scores.size()] = bad;
                const std::string wrong = first_disagreement(values);
                QVERIFY2(wrong.empty(), wrong.c_str());
            }
        }
        QCOMPARE(select_cpu({ std::vector<float> { 1, 2, NAN }.data(), 1, 3, nullptr, 0 }, 1), 2); // without a plan too
    }

    void nothing_to_select_from_is_no_error()
    {
        QCOMPARE(select_cpu({ nullptr, 0, 100, nullptr, 0 }, 2), -1);
        const SelectPlan plan { 1, 2, 3, 4 };
        QCOMPARE(select_cpu({ nullptr, 3, 0, &plan, 1 }, 2), -1);
    }
};

KEEPSET_TEST(TestSelect)
#include "tst_select.moc"
