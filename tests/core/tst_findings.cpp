#include "core/engine.h"
#include "core/policy/policy.h"
#include "core/sweep/comparisons.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>

using namespace keepset;

namespace {

/// Losses around a level, with what all methods share of a window and a little of each method's own.
PointCase around(const std::string& policy, double sparsity, double level, int method, double own = 0.004)
{
    return { policy, sparsity, [=](std::int64_t w) {
                return level + std::sin(3.0 * double(w)) + own * std::cos(double(5 * w + 2 * method));
            } };
}

QString first_finding(const std::vector<PointCase>& cases, const std::string& reference, std::int64_t windows = 10)
{
    return QString::fromStdString(findings(make_run(cases, windows), reference).at(0).sentence);
}

/// dense, h2o, cab and a control at 90%.
std::vector<PointCase> shared_out(double h2o, double control, double cab, double own = 0.004)
{
    return { around("dense", 0, 3, 0, own), around("h2o", 0.9, h2o, 1, own), around("cab", 0.9, cab, 2, own),
        around("h2o(local=0.3)", 0.9, control, 3, own) };
}

/// How often at least one of `comparisons` true nulls is decided, plainly and by Holm's correction.
std::pair<double, double> false_alarms(std::size_t comparisons, std::size_t windows, int trials)
{
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal;
    double plain = 0;
    double holm = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<double> p_values;
        for (std::size_t i = 0; i < comparisons; ++i) {
            std::vector<double> sample(windows);
            std::generate(sample.begin(), sample.end(), [&] { return normal(generator); });
            p_values.push_back(mean_interval(sample).p_value);
        }
        const std::vector<double> adjusted = holm_adjusted(p_values);
        plain += *std::min_element(p_values.begin(), p_values.end()) < 0.05 ? 1 : 0;
        holm += *std::min_element(adjusted.begin(), adjusted.end()) < 0.05 ? 1 : 0;
    }
    return { plain / trials, holm / trials };
}

} // namespace

class TestFindings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// A score that beats another may still be no better than chance that keeps both ends (SEMANTICS 4b).
    void a_win_is_followed_by_the_protected_control()
    {
        const std::string random = "random(sink=4,recent=0.1)";
        const auto against = [&](double control) {
            return first_finding({ around("dense", 0, 3, 0), around("h2o", 0.9, 3.5, 1), around("snapkv", 0.9, 3.2, 2),
                                     around(random, 0.9, control, 3) },
                "h2o");
        };
        const QString beaten = against(3.4);
        QVERIFY2(beaten.contains("SnapKV beats H2O at 90%")
                && beaten.contains("It beats Random (sink 4, recent 0.1), chance that keeps both ends, there, too."),
            qPrintable(beaten));
        const QString not_beaten = against(3.2);
        QVERIFY2(not_beaten.contains("It does not beat Random (sink 4, recent 0.1)"), qPrintable(not_beaten));
        const QString without = first_finding(
            { around("dense", 0, 3, 0), around("h2o", 0.9, 3.5, 1), around("snapkv", 0.9, 3.2, 2) }, "h2o");
        QVERIFY2(!without.contains("Random"), qPrintable(without));
    }

    void a_gain_is_shared_out_between_the_control_and_what_it_lacks_data()
    {
        QTest::addColumn<double>("h2o");
        QTest::addColumn<double>("control");
        QTest::addColumn<double>("cab");
        QTest::addColumn<double>("own"); // noise
        QTest::addColumn<QString>("words");
        QTest::addColumn<QString>("never");
        QTest::newRow("both") << 3.50 << 3.32 << 3.30 << 0.004
                              << "of 0.20 nats, 0.18 are the larger local share's (the control has them too) and 0.02 "
                                 "the bridges' (paired 95% intervals ["
                              << "that gain is the bridges'";
        QTest::newRow("bridges only") << 3.50 << 3.50 << 3.30 << 0.004
                                      << "it beats the control H2O (local 0.3) too: that gain is the bridges'"
                                      << "has the gain too";
        QTest::newRow("local only") << 3.50 << 3.30 << 3.30 << 0.004
                                    << "the control H2O (local 0.3) has the gain too: it is not the bridges'"
                                    << "that gain is the bridges'";
        QTest::newRow("bridges cost") << 3.50 << 3.20 << 3.30 << 0.004
                                      << QString::fromUtf8("of 0.20 nats, 0.30 are the larger local share's (the "
                                                           "control has them too) and −0.10 the bridges'")
                                      << "that gain is the bridges'";
        QTest::newRow("small beside the noise") << 3.51 << 3.505 << 3.50 << 0.009 << "whose the gain is stays open"
                                                << "that gain is the bridges'";
    }
    void a_gain_is_shared_out_between_the_control_and_what_it_lacks()
    {
        QFETCH(double, h2o);
        QFETCH(double, control);
        QFETCH(double, cab);
        QFETCH(double, own);
        QFETCH(QString, words);
        QFETCH(QString, never);
        const QString found = first_finding(shared_out(h2o, control, cab, own), "cab");
        QVERIFY2(found.startsWith("CAB beats H2O at 90%"), qPrintable(found));
        QVERIFY2(found.contains(words), qPrintable(found));
        QVERIFY2(!found.contains(never), qPrintable(found));
        // From the loser's side the same is said.
        const QString turned = first_finding(shared_out(h2o, control, cab, own), "h2o");
        QVERIFY2(turned.contains(words), qPrintable(turned));
    }

    void both_parts_have_their_own_paired_intervals()
    {
        const Run run = make_run(shared_out(3.50, 3.32, 3.30), 10);
        const Interval shared = paired_interval(run, 1, 3); // h2o - control
        const Interval own = paired_interval(run, 3, 2); // control - cab
        const QString found = QString::fromStdString(findings(run, "cab").at(0).sentence);
        const auto shown = [](const Interval& i) {
            return QString("[%1, %2]").arg(QString::number(i.low, 'g', 3), QString::number(i.high, 'g', 3));
        };
        QVERIFY2(found.contains(shown(shared) + " and " + shown(own)), qPrintable(found));
    }

    void a_small_decided_part_is_not_the_whole_gain()
    {
        // The bridges' 0.05 are decided. The control's 0.15 differ too much between windows, for cab's do as well.
        std::vector<PointCase> cases = shared_out(3.50, 3.35, 3.30);
        const auto calm = cases[1].nll;
        cases[1].nll = [calm](std::int64_t w) { return calm(w) + 0.24 * (w % 2 == 0 ? 1 : -1); };
        const Run run = make_run(cases, 10);
        const Interval shared = paired_interval(run, 1, 3);
        const Interval gain = paired_interval(run, 1, 2);
        QVERIFY2(shared.low < 0 && gain.low > 0,
            qPrintable(QString("%1 %2").arg(shared.low).arg(gain.low))); // the gain as a whole is decided
        const QString found = QString::fromStdString(findings(run, "cab").at(0).sentence);
        QVERIFY2(found.contains("a part of the gain is decided by the control H2O (local 0.3), whose the rest is stays "
                                "open: of 0.20 nats, 0.15 are the larger local share's (the control has them "
                                "too) and 0.05 the bridges'"),
            qPrintable(found));
    }

    void a_policy_names_its_own_control_data()
    {
        QTest::addColumn<QString>("policy");
        QTest::addColumn<QString>("other");
        QTest::addColumn<QString>("control"); // empty: none
        QTest::newRow("cab") << "cab"
                             << "h2o"
                             << "h2o(local=0.3)";
        QTest::newRow("other shares") << "cab(local=0.25)"
                                      << "h2o(local=0.5)"
                                      << "h2o(local=0.25)";
        QTest::newRow("default") << "cab(local=0.2)"
                                 << "h2o(local=0.5)"
                                 << "h2o";
        QTest::newRow("is the control") << "cab"
                                        << "h2o(local=0.3)"
                                        << "";
        QTest::newRow("no bridges") << "cab(bridge_ratio=0)"
                                    << "h2o"
                                    << "";
        QTest::newRow("another kind") << "cab"
                                      << "recent"
                                      << "";
        QTest::newRow("the other way") << "h2o"
                                       << "cab"
                                       << "";
        QTest::newRow("unknown") << "later"
                                 << "h2o"
                                 << "";
    }
    void a_policy_names_its_own_control()
    {
        QFETCH(QString, policy);
        QFETCH(QString, other);
        QFETCH(QString, control);
        const auto found = policy::control_of(policy.toStdString(), other.toStdString());
        QCOMPARE(found ? QString::fromStdString(canonical(found->policy)) : QString(), control);
        if (policy == "cab(local=0.25)")
            QCOMPARE(found->shared, std::string("the smaller local share"));
    }

    void a_missing_control_is_named_with_any_number_of_windows_data()
    {
        QTest::addColumn<int>("windows");
        QTest::newRow("1") << 1;
        QTest::newRow("4") << 4;
        QTest::newRow("12") << 12;
    }
    void a_missing_control_is_named_with_any_number_of_windows()
    {
        QFETCH(int, windows);
        std::vector<PointCase> cases = shared_out(3.5, 3.5, 3.5, 0);
        cases.pop_back();
        for (const char* reference : { "cab", "h2o" }) {
            const QString found = first_finding(cases, reference, windows);
            QCOMPARE(found.count("The control H2O (local 0.3) is missing"), 1);
        }
        const QString with = first_finding(shared_out(3.5, 3.5, 3.5, 0), "cab", windows);
        QVERIFY2(!with.contains("missing"), qPrintable(with));
    }

    void a_window_whose_loss_is_not_finite_leaves_the_comparison_undecided_data()
    {
        QTest::addColumn<double>("value");
        QTest::newRow("NaN") << std::nan("");
        QTest::newRow("infinity") << double(INFINITY);
        QTest::newRow("minus infinity") << -double(INFINITY);
    }
    void a_window_whose_loss_is_not_finite_leaves_the_comparison_undecided()
    {
        QFETCH(double, value);
        std::vector<PointCase> cases = shared_out(3.50, 3.32, 3.30);
        Run run = make_run(cases, 10);
        run.window_nll[2 * 10 + 3] = run.window_nll[2 * 10 + 7] = value; // cab, two windows
        refresh_points(run);
        const Interval pair = paired_interval(run, 2, 1);
        QVERIFY(std::isnan(pair.mean) && std::isnan(pair.low) && std::isnan(pair.high) && std::isnan(pair.p_value));
        QCOMPARE(pair.count, 10);
        const std::vector<Finding> found = findings(run, "cab");
        const QString sentence = QString::fromStdString(found.at(0).sentence);
        QVERIFY2(!sentence.contains("beats") && !sentence.contains("neither is ahead"), qPrintable(sentence));
        QVERIFY2(sentence.contains("At 90% nothing is decided: the loss is not finite for CAB in 2 of 10 windows."),
            qPrintable(sentence));
        QVERIFY(!found.at(0).decided);
        const auto differences = paired_differences(run, "h2o");
        for (const PairedDifference& d : differences)
            QCOMPARE(d.undecided.empty(), d.policy != "cab");
        // Whose loss it is is said of each.
        run.window_nll[1 * 10 + 3] = value;
        QCOMPARE(why_undecided(run, 2, 1),
            std::string("the loss is not finite for CAB in 2 and for H2O in 1 of 10 windows"));
        // A control that overflows tells nothing of the gain, and says so.
        Run other = make_run(cases, 10);
        other.window_nll[3 * 10] = value;
        const QString untold = QString::fromStdString(findings(other, "cab").at(0).sentence);
        QVERIFY2(untold.contains("cannot tell whose the gain is: the loss is not finite for H2O (local 0.3) in 1 of 10 "
                                 "windows."),
            qPrintable(untold));
    }

    void p_values_equal_closed_forms_data()
    {
        QTest::addColumn<double>("t");
        QTest::addColumn<double>("freedom");
        QTest::addColumn<double>("expected");
        QTest::newRow("1 degree, t 1") << 1.0 << 1.0 << 0.5; // 1 - 2/π atan t
        QTest::newRow("1 degree, t -10") << -10.0 << 1.0 << 1 - 2 / std::acos(-1.0) * std::atan(10.0);
        QTest::newRow("2 degrees, t 1") << 1.0 << 2.0 << 1 - 1 / std::sqrt(3.0); // 1 - t/√(t² + 2)
        QTest::newRow("4 degrees, the table's 95%") << 2.776445105 << 4.0 << 0.05;
        QTest::newRow("none") << 0.0 << 7.0 << 1.0;
        QTest::newRow("far out") << 1e4 << 2.0 << 9.99999985e-9; // 1 - cdf would have lost it
    }
    void p_values_equal_closed_forms()
    {
        QFETCH(double, t);
        QFETCH(double, freedom);
        QFETCH(double, expected);
        const double found = student_two_sided(t, freedom);
        QVERIFY2(std::abs(found - expected) <= 1e-8 * expected, qPrintable(QString::number(found, 'g', 15)));
    }

    void a_p_value_is_below_5_percent_where_the_interval_excludes_0()
    {
        std::mt19937_64 generator(3);
        std::normal_distribution<double> normal(0.6, 1.0);
        int decided = 0;
        for (int trial = 0; trial < 500; ++trial) {
            std::vector<double> sample(std::size_t(5 + trial % 9));
            std::generate(sample.begin(), sample.end(), [&] { return normal(generator); });
            const Interval i = mean_interval(sample);
            QCOMPARE(i.p_value<0.05, i.low> 0 || i.high < 0);
            decided += i.p_value < 0.05 ? 1 : 0;
        }
        QVERIFY(decided > 50 && decided < 450);
        QCOMPARE(mean_interval(std::vector<double>(6, 0.0)).p_value, 1.0); // no difference at all
        QCOMPARE(mean_interval(std::vector<double>(6, 0.25)).p_value, 0.0); // always the same one
        QVERIFY(std::isnan(mean_interval(std::vector<double>(4, 0.25)).p_value));
    }

    void holms_correction_equals_hand_calculation()
    {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") gives 0.03 0.06 0.06 0.02
        const std::vector<double> expected { 0.03, 0.06, 0.06, 0.02 };
        const std::vector<double> found = holm_adjusted(std::vector<double> { 0.01, 0.04, 0.03, 0.005 });
        for (std::size_t i = 0; i < expected.size(); ++i)
            QVERIFY(std::abs(found[i] - expected[i]) < 1e-15);
        QCOMPARE(holm_adjusted(std::vector<double> { 0.5, 0.7 }), (std::vector<double> { 1, 1 }));
        QCOMPARE(holm_adjusted(std::vector<double> { 0.04 }), (std::vector<double> { 0.04 }));
        QVERIFY(holm_adjusted({}).empty());
    }

    void holms_correction_keeps_false_alarms_at_5_percent()
    {
        const auto [plain, holm] = false_alarms(10, 8, 4000);
        qInfo("10 comparisons of nothing: plainly %.3f, by Holm %.3f", plain, holm);
        QVERIFY(std::abs(plain - (1 - std::pow(0.95, 10))) < 0.032); // four standard errors
        QVERIFY(std::abs(holm - 0.05) < 0.014);
    }

    void the_number_of_comparisons_is_said_and_what_stands_is_marked()
    {
        // Clear at 50%; at 90% a difference that 95% alone would let pass and six comparisons do not.
        std::vector<PointCase> cases { around("dense", 0, 3, 0) };
        for (const double sparsity : { 0.5, 0.7, 0.9 }) {
            cases.push_back(around("h2o", sparsity, 3.5, 1));
            cases.push_back(around("recent", sparsity, sparsity == 0.5 ? 3.7 : 3.5, 2));
            cases.push_back(around("random", sparsity, 3.5, 3));
        }
        const auto same = cases[1].nll;
        cases[8].nll = [same](std::int64_t w) { return same(w) + 0.1 + 0.12 * (w % 2 == 0 ? 1 : -1); };
        const Run run = make_run(cases, 10);
        const Comparisons made(run, "h2o");
        QCOMPARE(made.count(), 6); // two others at three sparsities
        const std::vector<Comparison> recent = made.between("recent", "h2o");
        QCOMPARE(recent.size(), std::size_t { 3 });
        QVERIFY(recent[0].stands);
        QVERIFY2(recent[2].difference.low > 0 && !recent[2].stands,
            qPrintable(QString::number(recent[2].difference.p_value)));
        const QString sentence = QString::fromStdString(findings(run, "h2o").at(0).sentence);
        QVERIFY2(sentence.contains("By Holm's correction over the 6 comparisons made it stands at 50%, not at 90%."),
            qPrintable(sentence));
        for (const PairedDifference& d : paired_differences(run, "h2o"))
            QCOMPARE(d.stands, d.policy == "recent" && d.sparsity == 0.5);
        // Turned round it is the same comparison.
        QCOMPARE(made.between("h2o", "recent")[0].difference.high, -recent[0].difference.low);
    }

    void a_control_counts_among_the_comparisons()
    {
        // cab against h2o, cab against the control, the control against h2o.
        QCOMPARE(Comparisons(make_run(shared_out(3.5, 3.3, 3.3), 10), "cab").count(), 3);
        QCOMPARE(Comparisons(make_run(shared_out(3.5, 3.3, 3.3), 10), "dense").count(), 3);
        QCOMPARE(Comparisons(make_run(shared_out(3.5, 3.3, 3.3), 4), "cab").count(), 0); // no intervals
    }
};

KEEPSET_TEST(TestFindings)
#include "tst_findings.moc"
