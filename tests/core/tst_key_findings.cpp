#include "core/findings.h"
#include "core/sweep/comparisons.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <cmath>

using namespace keepset;

namespace {

constexpr std::int64_t windows = 10;

/// Losses that all methods share by window, and noise of each method's own in which a mean of 3 is lost.
PointCase alike(const std::string& policy, double sparsity, int method)
{
    return { policy, sparsity, [=](std::int64_t w) {
                return 3 + std::sin(3.0 * double(w)) + 0.02 * std::cos(double(5 * w * method + method));
            } };
}

/// dense, h2o and cab at 90%, which cannot be told apart on the mean.
std::vector<PointCase> cases() { return { alike("dense", 0, 0), alike("h2o", 0.9, 1), alike("cab", 0.9, 2) }; }

/// `per_window` key tokens in the first `holding` windows, on which the points lose `losses`, and a little noise.
Run with_key_tokens(
    const std::vector<PointCase>& of, double per_window, std::int64_t holding, const std::vector<double>& losses)
{
    Run run = make_run(of, windows);
    for (std::size_t point = 0; point < of.size(); ++point) {
        for (std::int64_t w = 0; w < windows; ++w) {
            const bool holds = w < holding;
            run.window_key_count.push_back(holds ? per_window : 0);
            run.window_key_nll.push_back(holds
                    ? losses[point] + 0.3 * std::sin(double(w)) + 0.05 * std::cos(double(7 * w) + double(point))
                    : not_a_number);
        }
    }
    return run;
}

QString first_finding(const Run& run, const std::string& reference)
{
    return QString::fromStdString(findings(run, reference).at(0).sentence);
}

QString last_finding(const Run& run) { return QString::fromStdString(findings(run, "cab").back().sentence); }

} // namespace

/// What is said of the tokens that need the context.
class TestKeyFindings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_difference_that_the_mean_hides_is_told()
    {
        const Run run = with_key_tokens(cases(), 20, 10, { 0, 1.5, 1.1 });
        const Finding found = findings(run, "cab").at(0);
        const QString said = QString::fromStdString(found.sentence);
        QVERIFY2(said.startsWith("CAB and H2O: neither is ahead at 90%"), qPrintable(said));
        QVERIFY2(
            said.contains("At 90% they cannot be told apart on the mean over all tokens, and yet on the 200 tokens "
                          "that need the context CAB loses less than H2O: 0.41 nats a token less (paired 95% "
                          "interval [0.379, 0.433])."),
            qPrintable(said));
        QVERIFY2(said.contains("By Holm's correction over the 2 comparisons made it stands at 90%."), qPrintable(said));
        QVERIFY(found.decided);
        QVERIFY(first_finding(run, "h2o").contains("CAB loses less than H2O: ")); // from the loser's side the same
    }

    void its_interval_is_that_of_the_paired_ratio()
    {
        const Run run = with_key_tokens(cases(), 20, 10, { 0, 1.5, 1.1 });
        const Comparison made = Comparisons(run, "cab").between("cab", "h2o", Compared::key_tokens).at(0);
        std::vector<double> differences; // equal counts: the mean of the windows' means
        for (std::size_t w = 0; w < windows; ++w)
            differences.push_back(run.window_key_nll[2 * windows + w] - run.window_key_nll[windows + w]);
        const Interval wanted = mean_interval(differences);
        QVERIFY(std::abs(made.difference.low - wanted.low) < 1e-12);
        QVERIFY(std::abs(made.difference.high - wanted.high) < 1e-12);
        QVERIFY(std::abs(made.difference.p_value - wanted.p_value) < 1e-12);
        QCOMPARE(Comparisons(run, "cab").count(), 2);
    }

    void without_a_difference_neither_is_ahead()
    {
        const QString said = first_finding(with_key_tokens(cases(), 20, 10, { 0, 1.5, 1.5 }), "cab");
        QVERIFY2(said.contains("On the 200 tokens that need the context neither is ahead."), qPrintable(said));
    }

    void few_key_tokens_allow_no_claim_data()
    {
        QTest::addColumn<double>("per_window");
        QTest::addColumn<int>("holding");
        QTest::addColumn<bool>("claim");
        QTest::addColumn<QString>("words");
        QTest::newRow("25") << 2.5 << 10 << false << "25 of 100 scored tokens need the context";
        QTest::newRow("30") << 3.0 << 10 << true << "30 of 100 scored tokens need the context";
        QTest::newRow("many in four windows") << 30.0 << 4 << false << "They are in 4 windows, and a claim";
        QTest::newRow("many in five") << 30.0 << 5 << true << "150 of 100 scored tokens need the context";
        QTest::newRow("none") << 0.0 << 10 << false << "They are in 0 windows, and a claim";
    }
    void few_key_tokens_allow_no_claim()
    {
        QFETCH(double, per_window);
        QFETCH(int, holding);
        QFETCH(bool, claim);
        QFETCH(QString, words);
        const Run run = with_key_tokens(cases(), per_window, holding, { 0, 1.5, 1.1 });
        QCOMPARE(first_finding(run, "cab").contains("tokens that need the context"), claim);
        QVERIFY2(last_finding(run).contains(words), qPrintable(last_finding(run)));
        QCOMPARE(last_finding(run).contains("a claim about them takes 30"), !claim);
        QCOMPARE(Comparisons(run, "cab").count(), claim ? 2 : 1);
    }

    void nothing_is_compared_with_dense_on_tokens_that_dense_chose()
    {
        const Run run = with_key_tokens(cases(), 20, 10, { 0, 1.5, 1.1 });
        for (const Finding& found : findings(run, "dense"))
            QVERIFY2(found.sentence.find("nats a token less") == std::string::npos, found.sentence.c_str());
        QVERIFY(Comparisons(run, "dense").between("cab", "dense", Compared::key_tokens).empty());
    }

    void a_loss_that_is_no_number_leaves_it_undecided()
    {
        Run run = with_key_tokens(cases(), 20, 10, { 0, 1.5, 1.1 });
        run.window_key_nll[windows + 3] = not_a_number;
        const QString said = first_finding(run, "cab");
        QVERIFY2(!said.contains("nats a token less"), qPrintable(said));
        QCOMPARE(Comparisons(run, "cab").count(), 1);
    }

    void the_control_is_asked_there_too_data()
    {
        QTest::addColumn<double>("control");
        QTest::addColumn<QString>("words");
        QTest::newRow("it loses as the other")
            << 1.5 << "It is ahead of the control H2O (local 0.3) there, too, at 90%.";
        QTest::newRow("it has the gain") << 1.1 << "It is not ahead of the control H2O (local 0.3) there";
    }
    void the_control_is_asked_there_too()
    {
        QFETCH(double, control);
        QFETCH(QString, words);
        std::vector<PointCase> all = cases();
        all.push_back(alike("h2o(local=0.3)", 0.9, 3));
        const QString said = first_finding(with_key_tokens(all, 20, 10, { 0, 1.5, 1.1, control }), "cab");
        QVERIFY2(said.contains(words), qPrintable(said));
    }

    void a_run_that_did_not_ask_says_so()
    {
        Run run = make_run(cases(), windows);
        QCOMPARE(about_key_tokens(run),
            std::string(
                "Which tokens need the context cannot be told: it has 100 tokens, and 64 are the short context of "
                "comparison."));
        run.key_tokens.short_context = 0;
        QCOMPARE(about_key_tokens(run), std::string("Which tokens need the context was not asked."));
        QVERIFY(!last_finding(run).contains("need the context"));
    }
};

KEEPSET_TEST(TestKeyFindings)
#include "tst_key_findings.moc"
