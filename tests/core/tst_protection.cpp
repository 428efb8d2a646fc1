#include "core/error.h"
#include "core/pins.h"
#include "core/selection.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <random>

using namespace keepset;

namespace {

using enum Label;

std::vector<float> drawn_scores(std::size_t context)
{
    std::mt19937 generator(7);
    std::exponential_distribution<float> draw(1.0F);
    std::vector<float> scores(context);
    for (float& score : scores)
        score = draw(generator);
    return scores;
}

/// A row whose scores every policy ranks by, also one with a score of its own.
RowScores row_for(const PolicySpec& policy, const std::vector<float>& scores)
{
    RowScores row { .scope = {}, .scores = scores, .mass = std::vector<double>(scores.size(), 1.0) };
    for (const std::string& name : scores_of(policy))
        row.own.emplace(name, scores);
    return row;
}

RowSelection selected(
    const std::string& policy, const std::vector<float>& scores, std::int64_t budget, const std::vector<Pin>& pins = {})
{
    SelectRequest request;
    request.policy = parse_policy(policy);
    request.budget = budget;
    request.pins = pins;
    return select_row(row_for(request.policy, scores), request);
}

std::int64_t kept_in(const RowSelection& selection)
{
    return static_cast<std::int64_t>(selection.labels.size()) - std::ranges::count(selection.labels, evicted);
}

QByteArray said(const std::vector<Label>& labels)
{
    QByteArray text;
    for (const Label label : labels)
        text += (text.isEmpty() ? "" : " ") + QByteArray::fromStdString(name_of(label));
    return text;
}

std::string refused(const std::function<void()>& work)
{
    try {
        work();
    } catch (const Error& error) {
        return error.sentence();
    }
    return "nothing was refused";
}

/// Policies that need no attention, each with what it takes of a row alone.
constexpr std::array simple { "h2o", "cab", "streaming-llm", "recent", "random", "h2o-observed", "snapkv(window=3)",
    "tova", "keydiff", "knorm", "expected-attention", "criticalkv(of=snapkv(window=3))", "dropkv(window=3)", "cur" };

} // namespace

/// What is kept whatever a policy says: both ends of the context, and what a user pinned (SEMANTICS 4b).
class TestProtection : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void both_ends_come_off_the_ranking_data()
    {
        QTest::addColumn<QByteArray>("policy");
        QTest::addColumn<QByteArray>("labels");
        // Scores 0 9 1 8 2 7 3 6 4 5, budget 5.
        QTest::newRow("h2o") << QByteArray("h2o")
                             << QByteArray("evicted important evicted important evicted important evicted important "
                                           "evicted local");
        QTest::newRow("sinks") << QByteArray("h2o(sink=2)")
                               << QByteArray("sink sink evicted important evicted important evicted evicted evicted "
                                             "local");
        QTest::newRow("recent share") << QByteArray("h2o(recent=0.6)")
                                      << QByteArray("evicted important evicted important evicted evicted evicted local "
                                                    "local local");
        QTest::newRow("recent less than its own") << QByteArray("h2o(local=0.6,recent=1)")
                                                  << QByteArray("evicted important evicted important evicted evicted "
                                                                "evicted local local local");
        QTest::newRow("more than the budget") << QByteArray("h2o(sink=4,recent=3)")
                                              << QByteArray("sink sink sink sink evicted evicted evicted evicted "
                                                            "evicted local");
        QTest::newRow("streaming") << QByteArray("streaming-llm(sinks=1,sink=2)")
                                   << QByteArray("sink sink evicted evicted evicted evicted evicted local local local");
        QTest::newRow("own score") << QByteArray("knorm(sink=1,recent=2)")
                                   << QByteArray("sink important evicted important evicted evicted evicted evicted "
                                                 "local local");
    }
    void both_ends_come_off_the_ranking()
    {
        QFETCH(QByteArray, policy);
        QFETCH(QByteArray, labels);
        QCOMPARE(said(selected(policy.toStdString(), { 0, 9, 1, 8, 2, 7, 3, 6, 4, 5 }, 5).labels), labels);
    }

    void protected_random_draws_the_rest()
    {
        const std::vector<float> scores = drawn_scores(200);
        const RowSelection all = selected("random(sink=4,recent=0.1)", scores, 50);
        QCOMPARE(kept_in(all), 50);
        QCOMPARE(all.counts[static_cast<std::size_t>(sink)], 4);
        QCOMPARE(all.counts[static_cast<std::size_t>(local)], 5);
        QCOMPARE(all.counts[static_cast<std::size_t>(kept)], 41);
        // The draw is the same as without protection, so that what it keeps between the ends is nested.
        const RowSelection plain = selected("random", scores, 41);
        std::size_t common = 0;
        for (std::size_t j = 4; j < 195; ++j)
            common += plain.labels[j] == kept && all.labels[j] == kept ? 1 : 0;
        QCOMPARE(
            common, static_cast<std::size_t>(std::count(plain.labels.begin() + 4, plain.labels.begin() + 195, kept)));
    }

    void pins_stay_and_go_and_count_in_the_budget()
    {
        const std::vector<float> scores = drawn_scores(60);
        const std::vector<Pin> pins { { 10, 14, true }, { 40, 50, false }, { 55, 80, true } };
        for (const char* const policy : simple) {
            for (const std::int64_t budget : { 1, 9, 20, 51, 60 }) {
                const RowSelection made = selected(policy, scores, budget, pins);
                QCOMPARE(kept_in(made), budget);
                for (std::size_t j = 0; j < scores.size(); ++j) {
                    const bool stays = (j >= 10 && j < 14) || j >= 55;
                    const bool goes = j >= 40 && j < 50;
                    if (budget >= 9 && stays)
                        QCOMPARE(made.labels[j], pinned);
                    if (budget <= 50 && goes)
                        QCOMPARE(made.labels[j], evicted);
                }
            }
            QCOMPARE(selected(policy, scores, 1, pins).labels[10], pinned); // the earliest of those that stay
            QCOMPARE(selected(policy, scores, 51, pins).labels[40], kept); // the earliest of those that go
        }
    }

    void what_pins_leave_is_chosen_as_from_a_shorter_row()
    {
        const std::vector<float> scores = drawn_scores(60);
        std::vector<float> rest;
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (j < 20 || j >= 30)
                rest.push_back(scores[j]);
        }
        for (const char* const policy : simple) {
            if (std::string_view(policy) == "random")
                continue; // its draw goes by the position in the text
            const std::vector<Label> whole = selected(policy, scores, 25, { { 20, 30, true } }).labels;
            const std::vector<Label> shorter = selected(policy, rest, 15).labels;
            for (std::size_t j = 0; j < rest.size(); ++j)
                QCOMPARE(whole[j < 20 ? j : j + 10], shorter[j]);
        }
    }

    void a_later_pin_rules_and_what_is_outside_counts_nothing()
    {
        const RowSelection made
            = selected("recent", drawn_scores(10), 3, { { 0, 4, true }, { 1, 4, false }, { -5, 0 }, { 10, 99 } });
        QCOMPARE(said(made.labels),
            QByteArray("pinned evicted evicted evicted evicted evicted evicted evicted local local"));
    }

    void pins_are_explained()
    {
        SelectRequest request;
        request.policy = parse_policy("h2o");
        request.budget = 3;
        request.pins = { { 2, 4, true }, { 8, 9, false } };
        const RowScores row = row_for(request.policy, drawn_scores(10));
        const RowSelection made = select_row(row, request);
        QVERIFY(explain(row, made, request, 2).sentence.starts_with("Pinned: it was marked to stay"));
        QVERIFY(explain(row, made, request, 8).sentence.starts_with("Evicted: it was marked to go"));
    }

    void pins_are_bytes_of_the_text()
    {
        QCOMPARE(spelled(parse_pins(" 120-180, !300-320")), std::string("120-180,!300-320"));
        QVERIFY(parse_pins(" ").empty());
        const auto token = [](std::int64_t begin, std::int64_t end) { return Token { 1, begin, end, {} }; };
        const std::vector<Token> tokens { token(0, 0), token(0, 4), token(4, 5), token(5, 9), token(12, 20) };
        QCOMPARE(pins_in(tokens, parse_pins("4-6")), (std::vector<Pin> { { 2, 4, true } }));
        QCOMPARE(pins_in(tokens, parse_pins("0-1,!9-12,!3-4,19-99")),
            (std::vector<Pin> { { 1, 2, true }, { 1, 2, false }, { 4, 5, true } })); // nothing lies in 9-12
        for (const char* const wrong :
            { "5", "5-", "-5", "7-7", "9-3", "a-b", "1-2-3", "1-2,,3-4", "99999999999999999999-3" })
            QVERIFY2(refused([&] { parse_pins(wrong); }).find("pin") != std::string::npos, wrong);
    }

    void policies_nest_in_one_spelling()
    {
        QCOMPARE(canonical(parse_policy(" CriticalKV( first = 0.5, of = SnapKV( window = 64 , kernel=7 ) , sink=4)")),
            "criticalkv(of=snapkv(kernel=7),sink=4)");
        QCOMPARE(canonical(parse_policy("criticalkv(of=snapkv)")), "criticalkv");
        QCOMPARE(parse_policies("h2o,criticalkv(of=snapkv(window=3,kernel=1)),tova").size(), std::size_t { 3 });
        QCOMPARE(scores_of(parse_policy("criticalkv(of=snapkv(window=3,recent=9),sink=4)")),
            (std::vector<std::string> { "criticalkv", "snapkv(window=3)" }));
        QCOMPARE(scores_of(parse_policy("h2o(sink=4)")), std::vector<std::string> {});
    }

    void a_wrong_spelling_is_one_sentence_data()
    {
        QTest::addColumn<QByteArray>("policy");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("unclosed") << QByteArray("criticalkv(of=snapkv(window=3)") << QByteArray("do not match");
        QTest::newRow("closed twice") << QByteArray("criticalkv(of=snapkv))") << QByteArray("do not match");
        QTest::newRow("two in a row") << QByteArray("h2o(local=0.5)(local=0.2)") << QByteArray("do not match");
        QTest::newRow("too deep") << QByteArray("criticalkv(of=").repeated(200) + QByteArray(")").repeated(200)
                                  << QByteArray("do not match");
        QTest::newRow("inner unknown") << QByteArray("criticalkv(of=snap)") << QByteArray("'snap' is not known");
        QTest::newRow("no score") << QByteArray("criticalkv(of=recent)") << QByteArray("has no score to go by");
        QTest::newRow("even kernel") << QByteArray("snapkv(kernel=4)") << QByteArray("has no middle");
        QTest::newRow("half a token") << QByteArray("h2o(recent=1.5)") << QByteArray("whole number");
        QTest::newRow("negative") << QByteArray("h2o(recent=-0.1)") << QByteArray("share below 1");
    }
    void a_wrong_spelling_is_one_sentence()
    {
        QFETCH(QByteArray, policy);
        QFETCH(QByteArray, words);
        const std::string said = refused([&] { parse_policy(policy.toStdString()); });
        QVERIFY2(QByteArray::fromStdString(said).contains(words), said.c_str());
    }

    void scores_that_were_not_made_are_said_to_be_missing()
    {
        SelectRequest request;
        request.policy = parse_policy("snapkv");
        request.budget = 3;
        const RowScores row { .scope = {}, .scores = drawn_scores(10), .mass = {} };
        const std::string said = refused([&] { select_row(row, request); });
        QVERIFY2(said.find("'snapkv'") != std::string::npos, said.c_str());
    }

    void lagkv_refuses_a_budget_below_what_it_protects()
    {
        const std::vector<float> scores = drawn_scores(100);
        const std::string said = refused([&] { selected("lagkv(lag=20)", scores, 30); });
        QVERIFY2(said.find("first 4 and last 36 tokens") != std::string::npos, said.c_str());
        QCOMPARE(kept_in(selected("lagkv(lag=20)", scores, 50)), 50);
        // Too short for two partitions: sinks and recency.
        QCOMPARE(said_of(selected("lagkv(lag=60)", scores, 10)), QByteArray("4 sinks, 6 local"));
    }

private:
    static QByteArray said_of(const RowSelection& made)
    {
        return QByteArray::number(made.counts[static_cast<std::size_t>(sink)]) + " sinks, "
            + QByteArray::number(made.counts[static_cast<std::size_t>(local)]) + " local";
    }
};

KEEPSET_TEST(TestProtection)
#include "tst_protection.moc"
