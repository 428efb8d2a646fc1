#include "core/engine.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>

using namespace keepset;

namespace {

/// Window noise that all methods share, and a small one of each method.
double noise(std::int64_t window, int method)
{
    return std::sin(3.0 * double(window)) + 0.01 * std::cos(double(7 * window + method));
}

PointCase point(const std::string& policy, double sparsity, double level, int method)
{
    return { policy, sparsity, [=](std::int64_t w) { return 3 + level + noise(w, method); } };
}

struct Coverage {
    double student = 0;
    double bootstrap = 0;
};

/// Share of simulated samples of n normal values whose 95% interval holds the true mean.
Coverage simulate(std::size_t n, int trials)
{
    std::mt19937_64 generator(42);
    std::normal_distribution<double> normal(1.0, 2.0);
    std::uniform_int_distribution<std::size_t> pick(0, n - 1);
    Coverage covered;
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<double> sample(n);
        std::generate(sample.begin(), sample.end(), [&] { return normal(generator); });
        const Interval interval = mean_interval(sample);
        covered.student += interval.low <= 1 && 1 <= interval.high;
        std::vector<double> means(200);
        for (double& mean : means) {
            mean = 0;
            for (std::size_t i = 0; i < n; ++i)
                mean += sample[pick(generator)] / double(n);
        }
        std::sort(means.begin(), means.end());
        covered.bootstrap += means[4] <= 1 && 1 <= means[195];
    }
    return { covered.student / trials, covered.bootstrap / trials };
}

} // namespace

class StatisticsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void student_quantiles_equal_the_printed_table_data()
    {
        QTest::addColumn<double>("freedom");
        QTest::addColumn<double>("expected"); // 0.975, to nine decimals
        QTest::newRow("1") << 1.0 << 12.706204736;
        QTest::newRow("2") << 2.0 << 4.302652730;
        QTest::newRow("4") << 4.0 << 2.776445105;
        QTest::newRow("7") << 7.0 << 2.364624252;
        QTest::newRow("31") << 31.0 << 2.039513446;
        QTest::newRow("100") << 100.0 << 1.983971519;
        QTest::newRow("a million") << 1e6 << 1.959966357;
    }
    void student_quantiles_equal_the_printed_table()
    {
        QFETCH(double, freedom);
        QFETCH(double, expected);
        const double found = student_quantile(0.975, freedom);
        QVERIFY2(std::abs(found - expected) < 1e-6, qPrintable(QString::number(found, 'g', 12)));
        QVERIFY(std::abs(student_quantile(0.025, freedom) + found) < 1e-6);
        QVERIFY(std::abs(student_cdf(found, freedom) - 0.975) < 1e-12);
        QCOMPARE(student_cdf(0, freedom), 0.5);
    }

    void the_interval_covers_95_percent_and_a_bootstrap_less_data()
    {
        QTest::addColumn<int>("windows");
        QTest::newRow("5") << 5;
        QTest::newRow("8") << 8;
        QTest::newRow("32") << 32;
    }
    void the_interval_covers_95_percent_and_a_bootstrap_less()
    {
        QFETCH(int, windows);
        const Coverage coverage = simulate(static_cast<std::size_t>(windows), 4000);
        qInfo("n = %d: Student's t %.3f, percentile bootstrap %.3f", windows, coverage.student, coverage.bootstrap);
        QVERIFY(std::abs(coverage.student - 0.95) < 0.014); // four standard errors of 4,000 trials
        QVERIFY(coverage.bootstrap < coverage.student - (windows < 10 ? 0.04 : 0.0));
    }

    void points_follow_the_windows_that_are_done()
    {
        Run run = make_run({ point("dense", 0, 0, 0), point("h2o", 0.5, 0.2, 1) }, 6);
        for (const std::size_t i : { 2U, 5U, 8U, 11U }) { // windows 2 and 5 of both points
            run.window_nll[i] = not_a_number;
            run.target_hash[i] = 0;
            run.done[i % 6] = 0;
        }
        refresh_points(run);
        QCOMPARE(run.windows_done(), 4);
        QVERIFY(!run.finished());
        QCOMPARE(run.points[1].scored_tokens, 40);
        double sum = 0;
        for (const int w : { 0, 1, 3, 4 })
            sum += 10 * (3.2 + noise(w, 1));
        QVERIFY(std::abs(run.points[1].nll_sum - sum) < 1e-12);
        QVERIFY(std::abs(run.points[1].perplexity - std::exp(sum / 40)) < 1e-10);
        QVERIFY(std::isnan(run.points[1].ci_low)); // 4 windows

        run.window_nll[8] = 31; // the fifth
        run.window_nll[2] = 30;
        run.done[2] = 1;
        refresh_points(run);
        QCOMPARE(run.windows_done(), 5);
        QVERIFY(run.points[1].ci_low < run.points[1].perplexity && run.points[1].perplexity < run.points[1].ci_high);
    }

    void differences_are_paired_by_window()
    {
        const Run run = make_run({ point("dense", 0, 0, 0), point("h2o", 0.5, 0.3, 1), point("cab", 0.5, 0.1, 2) }, 8);
        const auto to_h2o = paired_differences(run, "h2o");
        QCOMPARE(to_h2o.size(), std::size_t { 1 }); // dense has no point at 50%
        QVERIFY(std::abs(to_h2o[0].mean + 0.2) < 0.01);
        QVERIFY(to_h2o[0].high < 0); // though windows differ by far more than methods
        QCOMPARE(paired_differences(run, "dense").size(), std::size_t { 2 });
        QVERIFY_EXCEPTION_THROWN(paired_differences(run, "recent"), Error);
    }

    void findings_tell_who_is_ahead_and_whose_the_gain_is()
    {
        const std::vector<PointCase> two { point("dense", 0, 0, 0), point("h2o", 0.5, 0.1, 1),
            point("cab", 0.5, 0.1, 2), point("h2o", 0.9, 0.5, 3), point("cab", 0.9, 0.3, 4) };
        const auto sentence = [](const std::vector<PointCase>& cases) {
            return QString::fromStdString(findings(make_run(cases, 8), "cab").at(0).sentence);
        };
        const QString alone = sentence(two);
        QVERIFY2(
            alone.startsWith(QString::fromUtf8("CAB beats H2O at 90%: the paired 95% interval of ΔNLL excludes 0 (")),
            qPrintable(alone));
        QVERIFY2(alone.contains("control H2O (local 0.3) is missing"), qPrintable(alone));
        QVERIFY2(alone.endsWith("At 50% neither is ahead."), qPrintable(alone));

        auto with_gain = two;
        with_gain.push_back(point("h2o(local=0.3)", 0.9, 0.3, 5));
        QVERIFY2(
            sentence(with_gain).contains("has the gain too: it is not the bridges'"), qPrintable(sentence(with_gain)));
        auto without = two;
        without.push_back(point("h2o(local=0.3)", 0.9, 0.5, 5));
        QVERIFY2(sentence(without).contains("beats the control H2O (local 0.3) too: that gain is the bridges'"),
            qPrintable(sentence(without)));

        const Run few = make_run(two, 4);
        QCOMPARE(findings(few, "cab").size(), std::size_t { 1 });
        QVERIFY(!findings(few, "cab")[0].decided);
        QVERIFY(findings(few, "cab")[0].sentence.find("fewer than 5 windows (4 are done)") != std::string::npos);
        const Run level = make_run({ point("dense", 0, 0, 0), point("h2o", 0.5, 0, 1), point("cab", 0.5, 0, 2) }, 8);
        QVERIFY(!findings(level, "h2o").at(0).decided);
    }

    void a_run_becomes_a_table_with_every_digit()
    {
        Run run = make_run({ point("dense", 0, 0, 0), point("cab(local=0.4,bridge_ratio=0.1)", 0.1, 1.0 / 3, 1) }, 2);
        const QStringList lines = QString::fromStdString(to_csv(run)).split("\n");
        QVERIFY2(
            lines[0].startsWith("policy,sparsity,budget,windows,scored_tokens,nll_sum,perplexity,ci_low,ci_high,kl,"
                                "top1_agreement,kept_mass,seconds,key_count,"),
            qPrintable(lines[0]));
        QCOMPARE(lines.size(), 4); // and an empty one behind the last line break
        QVERIFY2(lines[2].startsWith("\"cab(local=0.4,bridge_ratio=0.1)\",0.1,90,2,20,"), qPrintable(lines[2]));
        const QStringList fields = lines[2].mid(lines[2].lastIndexOf('"') + 2).split(",");
        QCOMPARE(fields.size() + 1, lines[0].split(",").size()); // the policy is in front
        QCOMPARE(fields[4].toDouble(), run.points[1].nll_sum);
        QCOMPARE(fields[6], "nan");
    }
};

KEEPSET_TEST(StatisticsTest)
#include "tst_statistics.moc"
