#include "core/metrics.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/distance_chart.h"
#include "ui/charts/method_legend.h"
#include "ui/pages/sweep_page.h"
#include "ui/selection_state.h"
#include "ui/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QToolButton>
#include <QtTest>

#include <cmath>

using namespace keepset;
using namespace keepset::ui;
using namespace keepset::ui::charts;

namespace {

/// Losses that grow with sparsity and fall with distance, of `done` of 8 windows.
std::shared_ptr<Run> withDistances(std::int64_t done = 8)
{
    auto run = std::make_shared<Run>(*test::plausibleRun(done));
    for (const SweepPoint& point : run->points) {
        for (std::int64_t window = 0; window < run->windows; ++window) {
            const double loss = point.sparsity * (1 + 0.1 * static_cast<double>(window % 3));
            run->window_near_nll.push_back(window < done ? loss : not_a_number);
            run->window_middle_nll.push_back(window < done ? 0.5 * loss : not_a_number);
            run->window_far_nll.push_back(window < done ? 0.1 * loss : not_a_number);
        }
    }
    return run;
}

} // namespace

/// What a method loses near, in the middle and far behind the context.
class TestDistanceChart : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void bars_are_means_over_windows_with_the_interval_of_student_s_t()
    {
        const ChartData data = distanceChart(*withDistances(), "cab");
        QCOMPARE(data.groups, (std::vector<double> { 0.5, 0.8, 0.9, 0.95 }));
        QCOMPARE(data.series.size(), std::size_t { 3 });
        // Of the factors 1, 1.1, 1.2, 1, 1.1, 1.2, 1, 1.1 over 8 windows: mean 1.0875, variance 0.0069642857, and
        // 2.3646242516 is the 97.5% quantile of t with 7 degrees of freedom (scipy.stats.t.ppf).
        const double half = 2.3646242516 * std::sqrt(0.0069642857142857 / 8);
        const double shares[] = { 1, 0.5, 0.1 };
        for (std::size_t s = 0; s < 3; ++s) {
            QCOMPARE(data.series[s].points.size(), std::size_t { 4 });
            const ChartPoint& point = data.series[s].points[1];
            QCOMPARE(point.x, 0.8);
            QVERIFY(std::abs(point.y - 0.8 * shares[s] * 1.0875) < 1e-12);
            QVERIFY(std::abs(point.low - 0.8 * shares[s] * (1.0875 - half)) < 1e-9);
            QVERIFY(std::abs(point.high - 0.8 * shares[s] * (1.0875 + half)) < 1e-9);
        }
        QCOMPARE(data.references.size(), std::size_t { 1 });
        QVERIFY(chartCsv(data).startsWith("metric,sparsity,delta_nll_of_cab,ci_low_paired_to_dense,"));
    }

    void few_windows_have_no_interval_and_what_is_missing_is_said()
    {
        const ChartData few = distanceChart(*withDistances(4), "h2o");
        QVERIFY(std::isnan(few.series.at(0).points.at(0).low));
        QVERIFY(few.subtitle.contains("5 windows"));
        const ChartData none = distanceChart(*test::plausibleRun(), "h2o");
        QVERIFY(charts::isEmpty(none));
        QVERIFY(none.emptyText.contains("does not hold"));
        QVERIFY(distanceChart(*withDistances(), "dense").emptyText.contains("another method"));
    }

    void a_run_with_short_targets_lacks_the_far_ones()
    {
        auto run = withDistances();
        run->window_far_nll.assign(run->window_far_nll.size(), not_a_number);
        QCOMPARE(distanceChart(*run, "h2o").series.size(), std::size_t { 2 });
    }

    void the_page_shows_it_on_demand_for_the_method_that_is_chosen()
    {
        SelectionState selection;
        SweepPage page(&selection);
        page.resize(1100, 900);
        page.show();
        page.setRun(withDistances());
        auto* chart = page.findChild<ChartView*>("differenceChart");
        auto* button = page.findChild<QToolButton*>("sweepByDistance");
        const QString before = chart->data().title;
        button->setChecked(true);
        QVERIFY2(chart->data().title.startsWith("H2O"), qPrintable(chart->data().title));
        QCOMPARE(chart->data().series.size(), std::size_t { 3 });
        QCOMPARE(chart->exportName(), QString("distance"));
        auto* reference = page.findChild<QComboBox*>("sweepReference");
        reference->setCurrentIndex(reference->findData("cab"));
        Q_EMIT reference->activated(reference->currentIndex());
        QVERIFY(chart->data().title.startsWith("CAB"));
        // Distances are no methods: the legend neither hides them nor all else for them.
        Q_EMIT chart->nameClicked("far_nll", true);
        QVERIFY(page.findChild<MethodLegend*>()->hidden().empty());
        test::savePictures(page, "sweep-distance");
        button->setChecked(false);
        QVERIFY(before.contains("H2O"));
        QVERIFY(chart->data().title.contains("CAB") && chart->data().series.size() > 3);
    }
};

KEEPSET_TEST(TestDistanceChart)
#include "tst_distance_chart.moc"
