#include "core/metrics.h"

#include "core/error.h"
#include "tests/core/run_case.h"
#include "tests/support/test_main.h"

#include <QTest>

#include <array>
#include <cmath>
#include <set>

using namespace keepset;

namespace {

constexpr std::int64_t windows = 5;
constexpr double t4 = 2.776445105; // 0.975 of Student's t with 4 degrees of freedom
// Losses per token by hand: dense has mean 2, h2o 2.3, their difference 0.3.
constexpr std::array<double, windows> dense_losses { 2.0, 2.1, 1.9, 2.2, 1.8 };
constexpr std::array<double, windows> differences { 0.1, 0.2, 0.3, 0.4, 0.5 };
constexpr double deviation = 0.158113883; // of `differences`: √(0.1 / 4)

double at(const std::array<double, windows>& values, std::int64_t window)
{
    return values[static_cast<std::size_t>(window)];
}

/// Dense and h2o at 50%, with all that later versions keep.
Run run_by_hand()
{
    Run run = make_run({ { "dense", 0, [](std::int64_t w) { return at(dense_losses, w); } },
                           { "h2o", 0.5, [](std::int64_t w) { return at(dense_losses, w) + at(differences, w); } } },
        windows);
    run.window_kl = { 0, 0, 0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.5 };
    run.window_top1 = { 1, 1, 1, 1, 1, 0.8, 0.8, 0.8, 0.8, 0.8 };
    run.window_kept_mass = { 1, 1, 1, 1, 1, 0.5, 0.6, 0.7, 0.8, 0.9 };
    // Of 6 rows: 50, 49, 50, 51.5 and 50 in each.
    run.kept_entries = { 600, 600, 600, 600, 600, 300, 294, 300, 309, 300 };
    run.window_seconds = { 1, 1, 1, 1, 1, 2, 2, 2, 2, 2 };
    double value = 0;
    for (auto* measured : { &run.window_delta_p50, &run.window_delta_p95, &run.window_delta_p99, &run.window_kl_p50,
             &run.window_kl_p95, &run.window_kl_p99, &run.window_over_one_nat, &run.window_near_nll,
             &run.window_middle_nll, &run.window_far_nll }) {
        value += 1; // each metric has a window mean of its own
        *measured = { 0, 0, 0, 0, 0, value, value - 0.5, value + 0.5, value - 0.25, value + 0.25 };
    }
    // Key tokens: 10, 0, 20, 10 and 10 of them, so a window has none and one counts twice.
    run.window_key_count = { 10, 0, 20, 10, 10, 10, 0, 20, 10, 10 };
    run.window_key_nll = { 0, not_a_number, 0, 0, 0, 1, not_a_number, 2, 3, 4 };
    run.evicted_everywhere = { 0, 0, 0, 0, 0, 10, 20, 30, 40, 50 };
    run.first_kept = { 6, 6, 6, 6, 6, 6, 6, 3, 3, 3 }; // of 6 rows
    run.last_kept = { 6, 6, 6, 6, 6, 0, 0, 6, 6, 0 };
    refresh_points(run);
    return run;
}

void close(double found, double expected)
{
    QVERIFY2(std::abs(found - expected) < 1e-8 * std::max(1.0, std::abs(expected)),
        qPrintable(QString("%1 is not %2").arg(found, 0, 'g', 12).arg(expected, 0, 'g', 12)));
}

} // namespace

class MetricsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_metric_has_words_and_a_name_of_its_own()
    {
        std::set<std::string> names;
        for (const Metric& metric : metrics()) {
            QVERIFY(!metric.title.empty() && !metric.quantity.empty() && !metric.description.empty());
            QVERIFY2(names.insert(metric.name).second, metric.name.c_str());
            QVERIFY(metric.value || metric.in_window);
            QCOMPARE(&find_metric(metric.name), &metric);
        }
        QVERIFY_EXCEPTION_THROWN(find_metric("of-tomorrow"), Error);
    }

    void values_equal_those_by_hand_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("of_dense");
        QTest::addColumn<double>("of_h2o");
        QTest::addColumn<double>("in_window_1");
        QTest::newRow("perplexity") << "perplexity" << std::exp(2.0) << std::exp(2.3) << std::exp(2.3);
        QTest::newRow("ratio") << "perplexity_ratio_to_dense" << 1.0 << std::exp(0.3) << std::exp(0.2);
        QTest::newRow("ΔNLL") << "delta_nll_to_dense" << 0.0 << 0.3 << 0.2;
        QTest::newRow("KL") << "kl" << 0.0 << 0.3 << 0.2;
        QTest::newRow("top-1") << "top1_agreement" << 1.0 << 0.8 << 0.8;
        QTest::newRow("mass") << "kept_mass" << 1.0 << 0.7 << 0.6;
        QTest::newRow("p50") << "delta_p50" << 0.0 << 1.0 << 0.5;
        QTest::newRow("p95") << "delta_p95" << 0.0 << 2.0 << 1.5;
        QTest::newRow("p99") << "delta_p99" << 0.0 << 3.0 << 2.5;
        QTest::newRow("KL p50") << "kl_p50" << 0.0 << 4.0 << 3.5;
        QTest::newRow("KL p95") << "kl_p95" << 0.0 << 5.0 << 4.5;
        QTest::newRow("KL p99") << "kl_p99" << 0.0 << 6.0 << 5.5;
        QTest::newRow("over one nat") << "over_one_nat" << 0.0 << 7.0 << 6.5;
        QTest::newRow("near") << "near_nll" << 0.0 << 8.0 << 7.5;
        QTest::newRow("middle") << "middle_nll" << 0.0 << 9.0 << 8.5;
        QTest::newRow("far") << "far_nll" << 0.0 << 10.0 << 9.5;
        QTest::newRow("evicted everywhere") << "evicted_everywhere" << 0.0 << 30.0 << 20.0;
        QTest::newRow("token 0") << "first_kept" << 1.0 << 0.7 << 1.0;
        QTest::newRow("newest") << "last_kept" << 1.0 << 0.4 << 0.0;
        QTest::newRow("entries") << "kept_entries" << 100.0 << 50.1 << 49.0;
        QTest::newRow("seconds") << "seconds" << 5.0 << 10.0 << 2.0;
    }
    void values_equal_those_by_hand()
    {
        QFETCH(QString, name);
        const Metric& metric = find_metric(name.toStdString());
        const Run run = run_by_hand();
        QFETCH(double, of_dense);
        close(value_of(run, metric, 0), of_dense);
        QFETCH(double, of_h2o);
        close(value_of(run, metric, 1), of_h2o);
        QFETCH(double, in_window_1);
        close(value_in_window(run, metric, 1, 1), in_window_1);
    }

    void intervals_are_student_s_over_windows_and_mapped_by_exp()
    {
        const Run run = run_by_hand();
        const double half = t4 * deviation / std::sqrt(5.0);
        for (const char* name : { "delta_nll_to_dense", "kl" }) {
            const Interval interval = intervals_of(run, find_metric(name))[1];
            close(interval.low, 0.3 - half);
            close(interval.high, 0.3 + half);
        }
        const Interval ratio = intervals_of(run, find_metric("perplexity_ratio_to_dense"))[1];
        close(ratio.low, std::exp(0.3 - half));
        close(ratio.high, std::exp(0.3 + half));
        // h2o's own losses 2.1, 2.3, 2.2, 2.6, 2.3: squares around 2.3 add up to 0.14.
        const double own = t4 * std::sqrt(0.14 / 4 / 5);
        const Interval perplexity = intervals_of(run, find_metric("perplexity"))[1];
        close(perplexity.low, std::exp(2.3 - own));
        close(perplexity.high, std::exp(2.3 + own));
        close(perplexity.low, run.points[1].ci_low); // what the file's table says
        close(perplexity.high, run.points[1].ci_high);
    }

    void key_tokens_count_alike_whatever_window_they_are_in()
    {
        Run run = run_by_hand();
        const Metric& metric = find_metric("key_nll");
        close(value_of(run, metric, 1), (10 * 1 + 20 * 2 + 10 * 3 + 10 * 4) / 50.0);
        QVERIFY(std::isnan(value_in_window(run, metric, 1, 1)));
        QVERIFY(std::isnan(intervals_of(run, metric)[1].low)); // four windows have any
        run.window_key_count[1] = run.window_key_count[windows + 1] = 10;
        run.window_key_nll[windows + 1] = 2;
        const Interval interval = intervals_of(run, metric)[1];
        close(interval.mean, 140 / 60.0);
        // Residuals 10·(1 - m), 10·(2 - m), 20·(2 - m), 10·(3 - m), 10·(4 - m), each over √(1 - its share of the
        // tokens).
        const double m = interval.mean;
        const double squares
            = 100 * ((1 - m) * (1 - m) + (2 - m) * (2 - m) + (3 - m) * (3 - m) + (4 - m) * (4 - m)) / (5 / 6.0)
            + 400 * (2 - m) * (2 - m) / (4 / 6.0);
        close(interval.high - interval.mean, t4 * std::sqrt(squares) / 60);
        run.window_key_nll[windows] = not_a_number; // a loss that is not finite, not a window without key tokens
        QVERIFY(std::isnan(value_of(run, metric, 1)));
    }

    void the_band_of_perplexity_is_that_of_the_difference_to_dense_and_of_others_their_interval()
    {
        const Run run = run_by_hand();
        const double half = t4 * deviation / std::sqrt(5.0);
        const Interval band = bands_of(run, find_metric("perplexity"))[1];
        close(band.low, std::exp(2.3 - half));
        close(band.mean, std::exp(2.3));
        close(band.high, std::exp(2.3 + half));
        close(bands_of(run, find_metric("kl"))[1].low, 0.3 - half);
    }

    void a_sum_has_no_interval_and_neither_have_four_windows()
    {
        Run run = run_by_hand();
        QVERIFY(std::isnan(intervals_of(run, find_metric("seconds"))[1].low));
        run.done.back() = 0;
        refresh_points(run);
        for (const Metric& metric : metrics()) {
            QVERIFY(std::isnan(intervals_of(run, metric)[1].low));
            QVERIFY(std::isnan(bands_of(run, metric)[1].high));
            QVERIFY(std::isfinite(value_of(run, metric, 1)));
            QVERIFY(std::isnan(value_in_window(run, metric, 1, 4))); // it is not done
        }
    }

    void a_window_that_is_not_finite_takes_the_interval_away()
    {
        Run run = run_by_hand();
        run.window_nll[windows + 2] = not_a_number;
        run.window_kl[windows + 2] = HUGE_VAL;
        refresh_points(run);
        for (const char* name : { "perplexity", "perplexity_ratio_to_dense", "delta_nll_to_dense", "kl" }) {
            QVERIFY2(std::isnan(intervals_of(run, find_metric(name))[1].low), name);
            QVERIFY2(std::isnan(bands_of(run, find_metric(name))[1].high), name);
        }
        QVERIFY(std::isfinite(intervals_of(run, find_metric("top1_agreement"))[1].low));
    }

    void only_what_a_run_holds_is_offered()
    {
        Run run = run_by_hand();
        QCOMPARE(metrics_of(run).size(), metrics().size());
        forget_what_came_later(run);
        for (SweepPoint& point : run.points)
            point.kl = not_a_number;
        QVERIFY(!holds(run, find_metric("kl")));
        QVERIFY(holds(run, find_metric("top1_agreement"))); // the file's table has it
        QVERIFY(std::isnan(value_in_window(run, find_metric("top1_agreement"), 1, 0))); // but not by window
        run.points.erase(run.points.begin()); // nothing can be compared without dense
        QVERIFY(!holds(run, find_metric("delta_nll_to_dense")));
        QVERIFY(std::isnan(bands_of(run, find_metric("perplexity"))[0].low));
    }

    void the_best_point_is_of_least_perplexity_where_most_is_evicted()
    {
        const auto loss = [](double level) { return [level](std::int64_t) { return level; }; };
        Run run = make_run({ { "dense", 0, loss(1) }, { "h2o", 0.5, loss(1.5) }, { "h2o", 0.9, loss(2.5) },
                               { "cab", 0.5, loss(1.4) }, { "cab", 0.9, loss(2) }, { "recent", 0.9, loss(HUGE_VAL) } },
            windows);
        QCOMPARE(best_point(run), std::optional<std::size_t>(4));
        run.done.assign(run.done.size(), 0);
        refresh_points(run);
        QCOMPARE(best_point(run), std::nullopt);
    }
};

KEEPSET_TEST(MetricsTest)
#include "tst_metrics.moc"
