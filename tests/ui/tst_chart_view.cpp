#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/method_legend.h"
#include "ui/charts/sweep_charts.h"
#include "ui/theme.h"

#include <QAreaSeries>
#include <QLineSeries>
#include <QRubberBand>
#include <QScatterSeries>
#include <QSignalSpy>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;
using namespace keepset::ui::charts;

namespace {

/// `methods` of four sparsities, with intervals of any width.
ChartData many(int methods, bool grouped)
{
    ChartData data;
    data.title = "Perplexity against sparsity";
    data.x = { "Sparsity (share of the context evicted)", "sparsity", AxisScale::linear, NumberFormat::percent };
    data.y = { "Perplexity", "perplexity", grouped ? AxisScale::linear : AxisScale::log, NumberFormat::plain };
    if (grouped)
        data.groups = { 0.5, 0.8, 0.9, 0.95 };
    std::vector<std::string> keys;
    for (int m = 0; m < methods; ++m)
        keys.push_back("method" + std::to_string(m));
    const auto looks = plot::methodStyles(keys);
    for (int m = 0; m < methods; ++m) {
        const auto i = static_cast<std::size_t>(m);
        Series series { keys[i], QString::fromStdString(keys[i]), {}, looks[i], {} };
        for (const double x : { 0.5, 0.8, 0.9, 0.95 }) {
            const double y = 15 + 10 * x + 0.2 * m;
            series.points.push_back({ x, y, y - 0.1 * (m + 1), y + 0.3 * (m + 1) });
        }
        data.series.push_back(series);
    }
    return data;
}

/// Shown, laid out and painted once.
void settle(QWidget& widget, QSize size = { 700, 360 })
{
    widget.resize(size);
    widget.show();
    QVERIFY(QTest::qWaitForWindowExposed(&widget));
    QCoreApplication::sendPostedEvents();
    QVERIFY(!widget.grab().isNull());
}

void drag(ChartView& view, QPoint from, QPoint to)
{
    QTest::mousePress(view.viewport(), Qt::LeftButton, {}, from);
    QTest::mouseMove(view.viewport(), (from + to) / 2);
    QTest::mouseMove(view.viewport(), to);
    QTest::mouseRelease(view.viewport(), Qt::LeftButton, {}, to);
}

void turnWheel(ChartView& view, QPointF at, int notches)
{
    for (int i = 0; i < std::abs(notches); ++i) {
        QWheelEvent wheel(at, view.mapToGlobal(at), {}, { 0, notches > 0 ? 120 : -120 }, Qt::NoButton, Qt::NoModifier,
            Qt::NoScrollPhase, false);
        QApplication::sendEvent(view.viewport(), &wheel);
    }
}

QStringList xLabels(const ChartView& view)
{
    return qobject_cast<QCategoryAxis*>(view.plot()->axes(Qt::Horizontal).first())->categoriesLabels();
}

} // namespace

class TestChartView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }
    void an_axis_that_holds_new_data_well_moves_when_they_rest();
    void a_method_is_a_line_marks_and_a_band_of_qt_charts();
    void live_updates_replace_points_and_nothing_else();
    void points_that_are_no_numbers_are_left_out();
    void an_empty_run_is_words_only();
    void whiskers_stay_in_their_slot_and_in_the_plot_data();
    void whiskers_stay_in_their_slot_and_in_the_plot();
    void methods_that_share_a_chart_never_look_the_same();
    void zoom_has_a_history_by_mouse_wheel_and_keyboard();
    void ticks_follow_the_zoom();
    void the_read_out_is_reached_by_keyboard();
    void hovering_tells_the_nearest_point_that_is_shown();
    void a_band_shows_for_the_one_that_is_pointed_at_or_alone_or_for_all();
    void the_legend_hides_and_isolates_in_both_charts();
    void names_at_the_ends_hide_and_isolate_too();
    void names_stay_on_the_chart();
    void what_is_hidden_does_not_hide_another_run();
    void charts_are_described_in_words();
    void a_chart_has_the_size_that_it_is_given();
    void a_change_of_appearance_reaches_the_chart();
};

void TestChartView::a_method_is_a_line_marks_and_a_band_of_qt_charts()
{
    ChartView view;
    view.setData(many(3, false));
    const auto count = [&](auto* type) {
        return std::ranges::count_if(view.plot()->series(),
            [](QAbstractSeries* series) { return qobject_cast<decltype(type)>(series) != nullptr; });
    };
    QCOMPARE(count(static_cast<QScatterSeries*>(nullptr)), 3);
    QCOMPARE(count(static_cast<QAreaSeries*>(nullptr)), 3);
    QCOMPARE(count(static_cast<QLineSeries*>(nullptr)), 3);
    view.plot()->setAllBands(true);
    QVERIFY(view.plot()->isBandShown(0));
}

void TestChartView::live_updates_replace_points_and_nothing_else()
{
    QWidget page;
    SweepCharts charts(&page);
    charts.setRun(*test::plausibleRun(0), {}, {}, "h2o");
    QChart* chart = charts.metric()->chart();
    const auto series = chart->series();
    QVERIFY(series.size() > 10);
    for (int done = 1; done <= 8; ++done) {
        charts.setRun(*test::plausibleRun(done), {}, {}, "h2o");
        QCOMPARE(charts.metric()->chart(), chart);
        QCOMPARE(chart->series(), series);
    }
    QVERIFY(!isEmpty(charts.metric()->data()));
}

void TestChartView::points_that_are_no_numbers_are_left_out()
{
    ChartView view;
    ChartData data = many(2, false);
    data.series[0].points[1].y = std::nan("");
    data.series[0].points[2].y = -1; // has no logarithm
    data.series[1].points[0].low = std::nan("");
    view.plot()->setAllBands(true); // a band that is not shown has no points
    view.setData(data);
    settle(view);
    QList<int> counts;
    for (QAbstractSeries* series : view.plot()->series()) {
        if (const auto* line = qobject_cast<QLineSeries*>(series))
            counts << static_cast<int>(line->count());
        else if (const auto* band = qobject_cast<QAreaSeries*>(series))
            counts << static_cast<int>(band->upperSeries()->count());
    }
    std::ranges::sort(counts);
    QCOMPARE(counts, (QList<int> { 2, 2, 3, 4 }));
    for (ChartPoint& point : data.series[1].points)
        point.y = std::numeric_limits<double>::infinity();
    data.series.resize(2);
    view.setData(data);
    QVERIFY(!view.grab().isNull());
}

void TestChartView::an_empty_run_is_words_only()
{
    ChartView view;
    settle(view);
    QVERIFY(!view.plot()->axes().first()->isVisible());
    for (const bool grouped : { false, true }) {
        ChartData data = many(2, grouped);
        for (Series& series : data.series)
            series.points.clear();
        data.emptyText = "No window is done yet.";
        view.setData(data);
        QTest::keyClick(&view, Qt::Key_Plus);
        QTest::keyClick(&view, Qt::Key_Right);
        turnWheel(view, { 200, 100 }, 2);
        QVERIFY(!view.isZoomed() && !view.plot()->readout());
        QVERIFY(!view.grab().isNull());
    }
    Run none;
    view.setData(metricChart(none, {}, {}));
    view.setData(differenceChart(none, "dense"));
    QVERIFY(!view.grab().isNull());
}

void TestChartView::whiskers_stay_in_their_slot_and_in_the_plot_data()
{
    QTest::addColumn<int>("methods");
    QTest::addColumn<QSize>("size");
    for (const int methods : { 1, 5, 8, 12, 20 }) {
        for (const QSize size : { QSize(560, 300), QSize(300, 180), QSize(1300, 700) })
            QTest::addRow("%d methods, %d px", methods, size.width()) << methods << size;
    }
}

void TestChartView::whiskers_stay_in_their_slot_and_in_the_plot()
{
    QFETCH(int, methods);
    QFETCH(QSize, size);
    ChartView view;
    view.setData(many(methods, true));
    settle(view, size);
    const QRectF plot = view.plot()->plotArea();
    double before = -1;
    for (std::size_t p = 0; p < 4; ++p) {
        const double left = view.plot()->toPixel(static_cast<double>(p), 0).x();
        const double right = view.plot()->toPixel(static_cast<double>(p + 1), 0).x();
        for (std::size_t s = 0; s < static_cast<std::size_t>(methods); ++s) {
            const QRectF bar = view.plot()->barOf({ s, p });
            QVERIFY(bar.width() > 0 && bar.height() > 0);
            QVERIFY2(bar.left() > left && bar.right() < right, qPrintable(QString::number(s)));
            QVERIFY(bar.left() > before); // beside one another, never over one another
            QVERIFY(plot.contains(bar));
            before = bar.right();
        }
    }
}

void TestChartView::methods_that_share_a_chart_never_look_the_same()
{
    std::vector<std::string> keys { "dense", "h2o", "cab", "h2o(local=0.3)" };
    for (int i = 0; i < 30; ++i)
        keys.push_back("h2o(local=0." + std::to_string(10 + i) + ")");
    const auto looks = plot::methodStyles(keys);
    for (std::size_t a = 0; a < looks.size(); ++a) {
        for (std::size_t b = a + 1; b < looks.size(); ++b)
            QVERIFY2(!(looks[a] == looks[b]), keys[b].c_str());
    }
    QCOMPARE(plot::methodStyles({ "tova" }), plot::methodStyles({ "tova" }));
}

void TestChartView::zoom_has_a_history_by_mouse_wheel_and_keyboard()
{
    ChartView view;
    view.setData(many(3, false));
    settle(view);
    const ChartRange whole = view.plot()->range();
    const QPoint centre = view.plot()->plotArea().center().toPoint();
    drag(view, centre - QPoint(60, 50), centre + QPoint(50, 60));
    const ChartRange first = view.plot()->range();
    QVERIFY(first.x.low > whole.x.low && first.x.high < whole.x.high && first.y.high < whole.y.high);
    drag(view, centre, centre + QPoint(2, 2)); // a click with an unsteady hand
    QCOMPARE(view.plot()->range(), first);
    QTest::keyClick(&view, Qt::Key_Plus);
    QVERIFY(view.plot()->range().x.length() < first.x.length());
    QTest::keyClick(&view, Qt::Key_Backspace);
    QCOMPARE(view.plot()->range(), first);
    const QPointF under = view.plot()->toCoordinates(centre + QPointF(30, 10));
    turnWheel(view, centre + QPointF(30, 10), 3);
    QVERIFY(view.plot()->range().x.length() < first.x.length() * 0.6);
    const QPointF still = view.plot()->toPixel(under.x(), under.y()) - QPointF(centre) - QPointF(30, 10);
    QVERIFY2(std::hypot(still.x(), still.y()) < 2, qPrintable(QString::number(still.x())));
    auto* back = view.findChild<QToolButton*>("zoomBack");
    QVERIFY(back->isVisible());
    back->click(); // one turn of the wheel is one step
    QCOMPARE(view.plot()->range(), first);
    QTest::mouseClick(view.viewport(), Qt::RightButton, {}, centre);
    QCOMPARE(view.plot()->range(), whole);
    QVERIFY(!back->isVisible());
    view.setRange(first);
    view.setData(many(3, false)); // new data while zoomed in
    QCOMPARE(view.plot()->range(), first);
    QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, centre);
    QCOMPARE(view.plot()->range(), whole);
    view.setRange(first);
    view.findChild<QToolButton*>("zoomWhole")->click();
    QCOMPARE(view.plot()->range(), whole);
    turnWheel(view, centre, -2); // nothing is beyond the whole
    QCOMPARE(view.plot()->range(), whole);
    QVERIFY(!view.isZoomed());
}

void TestChartView::ticks_follow_the_zoom()
{
    ChartView view;
    view.setData(many(3, false));
    settle(view);
    const QStringList before = xLabels(view);
    QVERIFY(before.size() >= 3);
    ChartRange range = view.plot()->range();
    range.x = { 0.75, 0.96 };
    view.setRange(range);
    const QStringList after = xLabels(view);
    QVERIFY2(after.size() >= 3 && after != before, qPrintable(after.join(' ')));
    QVERIFY2(after.contains("80%") && after.contains("95%"), qPrintable(after.join(' ')));
}

void TestChartView::the_read_out_is_reached_by_keyboard()
{
    ChartView view;
    view.setData(many(2, false));
    settle(view);
    QTest::keyClick(&view, Qt::Key_Right);
    QCOMPARE(view.plot()->readout().value(), (PointRef { 0, 0 }));
    QTest::keyClick(&view, Qt::Key_Right);
    QTest::keyClick(&view, Qt::Key_Down);
    QCOMPARE(view.plot()->readout().value(), (PointRef { 1, 1 }));
    view.plot()->setHidden({ "method1" });
    QVERIFY(!view.plot()->readout());
    QTest::keyClick(&view, Qt::Key_Down);
    QTest::keyClick(&view, Qt::Key_Down);
    QCOMPARE(view.plot()->readout().value().series, std::size_t { 0 });
    view.setData({}); // data gone: no read-out of what is not there
    QVERIFY(!view.plot()->readout());
    QTest::keyClick(&view, Qt::Key_Right);
    QVERIFY(!view.plot()->readout());
}

void TestChartView::hovering_tells_the_nearest_point_that_is_shown()
{
    ChartView view;
    view.setData(many(2, true));
    settle(view);
    QSignalSpy hovered(&view, &ChartView::pointHovered);
    QSignalSpy clicked(&view, &ChartView::pointClicked);
    const QPointF at = view.plot()->positionOf({ 1, 2 });
    QMouseEvent move(QEvent::MouseMove, at, view.viewport()->mapToGlobal(at), Qt::NoButton, {}, {});
    QApplication::sendEvent(view.viewport(), &move);
    QVERIFY(view.plot()->readout());
    QCOMPARE(view.plot()->readout().value(), (PointRef { 1, 2 }));
    QCOMPARE(hovered.last()[0].toString(), QString("method1"));
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, at.toPoint());
    QCOMPARE(clicked.last()[0].toString(), QString("method1"));
    QCOMPARE(clicked.last()[1].toDouble(), 0.9);
    QVERIFY(!view.plot()->nearestPoint(at + QPointF(0, 60), 20));
    view.plot()->setHidden({ "method1" });
    const auto other = view.plot()->nearestPoint(at, 1000);
    QCOMPARE(other.value().series, std::size_t { 0 });
}

void TestChartView::a_band_shows_for_the_one_that_is_pointed_at_or_alone_or_for_all()
{
    ChartView view;
    view.setData(many(3, false));
    const auto shown = [&] {
        std::set<std::size_t> bands;
        for (std::size_t s = 0; s < 3; ++s) {
            if (view.plot()->isBandShown(s))
                bands.insert(s);
        }
        return bands;
    };
    using Bands = std::set<std::size_t>;
    QCOMPARE(shown(), Bands {});
    view.plot()->setHighlighted("method1");
    QCOMPARE(shown(), Bands { 1 });
    view.plot()->setHighlighted({});
    view.plot()->setHidden({ "method0", "method1" });
    QCOMPARE(shown(), Bands { 2 });
    view.plot()->setHidden({});
    view.plot()->setAllBands(true);
    QCOMPARE(shown(), (Bands { 0, 1, 2 }));
    view.plot()->setHidden({ "method1" });
    QCOMPARE(shown(), (Bands { 0, 2 }));
}

void TestChartView::the_legend_hides_and_isolates_in_both_charts()
{
    QWidget page;
    SweepCharts charts(&page);
    auto* layout = new QVBoxLayout(&page);
    for (QWidget* widget : std::initializer_list<QWidget*> { charts.legend(), charts.metric(), charts.difference() })
        layout->addWidget(widget);
    charts.setRun(*test::plausibleRun(), {}, {}, "h2o");
    settle(page, { 700, 800 });
    const auto chip = [&](const char* key) { return charts.legend()->findChild<QToolButton*>(QString("chip ") + key); };
    using Keys = std::set<std::string>;
    QTest::mouseClick(chip("cab"), Qt::LeftButton);
    for (ChartView* view : { charts.metric(), charts.difference() })
        QCOMPARE(view->plot()->hidden(), Keys { "cab" });
    QVERIFY(!chip("cab")->isChecked() && chip("h2o")->isChecked());
    QTest::mouseClick(chip("cab"), Qt::LeftButton);
    QVERIFY(charts.metric()->plot()->hidden().empty());
    // A double click comes behind the click it begins with.
    QTest::mouseClick(chip("recent"), Qt::LeftButton);
    QTest::mouseDClick(chip("recent"), Qt::LeftButton);
    const Keys others { "cab", "h2o", "h2o(local=0.3)", "streaming-llm" };
    QCOMPARE(charts.difference()->plot()->hidden(), others);
    QTest::mouseClick(chip("recent"), Qt::LeftButton, Qt::ControlModifier);
    QVERIFY(charts.difference()->plot()->hidden().empty());
    QTest::keyClick(chip("cab"), Qt::Key_Return);
    QVERIFY(!charts.metric()->plot()->hidden().contains("cab") && charts.metric()->plot()->hidden().size() == 4);
    QTest::keyClick(chip("cab"), Qt::Key_Return);
    charts.legend()->toggle("h2o");
    charts.setRun(*test::plausibleRun(), {}, {}, "h2o"); // the next window
    QCOMPARE(charts.metric()->plot()->hidden(), Keys { "h2o" });
    for (QAbstractSeries* series : charts.metric()->plot()->series()) {
        const auto* line = qobject_cast<QLineSeries*>(series);
        if (line && line->pen().color() == charts.metric()->data().series[0].look.light)
            QVERIFY(!line->isVisible());
    }
}

void TestChartView::names_at_the_ends_hide_and_isolate_too()
{
    QWidget page;
    SweepCharts charts(&page);
    auto* layout = new QVBoxLayout(&page);
    layout->addWidget(charts.metric());
    charts.setRun(*test::plausibleRun(), {}, {}, "h2o");
    settle(page);
    const auto names = charts.metric()->plot()->names();
    QCOMPARE(names.size(), std::size_t { 5 });
    for (std::size_t a = 0; a < names.size(); ++a) {
        QVERIFY(charts.metric()->plot()->rect().contains(names[a].box));
        for (std::size_t b = a + 1; b < names.size(); ++b)
            QVERIFY(!names[a].box.adjusted(0, 1, 0, -1).intersects(names[b].box.adjusted(0, 1, 0, -1)));
    }
    const QPoint name = names[1].box.center().toPoint();
    QTest::mouseClick(charts.metric()->viewport(), Qt::LeftButton, Qt::ControlModifier, name);
    QCOMPARE(charts.difference()->plot()->hidden().size(), std::size_t { 4 });
    const std::string& key = charts.metric()->data().series[names[1].series].key;
    QVERIFY(!charts.metric()->plot()->hidden().contains(key));
}

void TestChartView::names_stay_on_the_chart()
{
    ChartView view;
    view.setData(many(20, false));
    settle(view, { 560, 220 });
    view.plot()->setHighlighted("method19");
    const auto names = view.plot()->names();
    QVERIFY(names.size() > 3 && names.size() < 20);
    bool highlighted = false;
    for (const PlotChart::Name& name : names) {
        QVERIFY(view.plot()->rect().contains(name.box));
        highlighted = highlighted || view.data().series[name.series].key == "method19";
    }
    QVERIFY(highlighted);
    QVERIFY(view.exportSize().height() > 20 * 16); // there is no legend there
}

void TestChartView::what_is_hidden_does_not_hide_another_run()
{
    MethodLegend legend;
    QSignalSpy changed(&legend, &MethodLegend::hiddenChanged);
    const auto looks = plot::methodStyles({ "h2o", "cab" });
    legend.setMethods({ { "h2o", "H2O", looks[0] }, { "cab", "CAB", looks[1] } });
    legend.isolate("cab");
    QCOMPARE(changed.count(), 1);
    legend.setMethods({ { "h2o", "H2O", looks[0] } }); // nothing of this run would be seen
    QCOMPARE(changed.count(), 2);
    QVERIFY(legend.hidden().empty());
}

void TestChartView::charts_are_described_in_words()
{
    ChartView view;
    ChartData data = many(2, false);
    data.warning = "Audit: baseline fails.";
    data.references = { { "dense", 15, "dense 15.00" } };
    view.setData(data);
    QCOMPARE(view.accessibleName(), data.title);
    for (const char* words : { "baseline fails", "method1", "24.00 at 90%", "dense 15.00" })
        QTRY_VERIFY2(view.accessibleDescription().contains(words), qPrintable(view.accessibleDescription()));
}

void TestChartView::a_chart_has_the_size_that_it_is_given()
{
    PlotChart paper(plot::chartStyle(false));
    ChartData data = many(12, true);
    data.warning = QString("A long sentence about what is wrong with this result. ").repeated(5);
    paper.setData(data);
    for (const QSizeF size : { QSizeF(560, 300), QSizeF(200, 120) }) {
        paper.resize(size);
        QCOMPARE(paper.size(), size);
        QVERIFY(paper.warningBox().width() <= size.width());
    }
}

void TestChartView::a_change_of_appearance_reaches_the_chart()
{
    ChartView view;
    view.setData(many(2, false));
    settle(view);
    setAppearance(*qApp, Appearance::dark);
    QCoreApplication::sendPostedEvents();
    const bool dark = view.plot()->look().dark;
    const QColor corner = view.grab().toImage().pixelColor(3, 3);
    setAppearance(*qApp, Appearance::light);
    QVERIFY(dark);
    QCOMPARE(corner, theme(true).panel);
    QVERIFY(!view.plot()->look().dark);
}

void TestChartView::an_axis_that_holds_new_data_well_moves_when_they_rest()
{
    ChartView view;
    ChartData data = many(3, false);
    view.setData(data);
    settle(view);
    const ChartRange before = view.plot()->range();
    QCOMPARE(before, fullRange(data));
    for (Series& series : data.series)
        series.points.back().y -= 0.3; // a little less high than before
    view.setData(data);
    const ChartRange fitted = fullRange(data);
    QVERIFY(!(fitted == before));
    QCOMPARE(view.plot()->range(), before); // all is in sight
    const QPointF last = view.plot()->positionOf({ 0, 3 });
    QVERIFY(view.plot()->plotArea().contains(last));
    QTRY_COMPARE(view.plot()->range(), fitted);
    data.series[0].points.back().y *= 2; // out of sight
    data.series[0].points.back().high *= 2;
    view.setData(data);
    QCOMPARE(view.plot()->range(), fullRange(data)); // at once
    for (Series& series : data.series) { // far less high
        for (ChartPoint& point : series.points)
            point = { point.x, 15 + 0.01 * point.x };
    }
    view.setData(data);
    QCOMPARE(view.plot()->range(), fullRange(data));
}

KEEPSET_TEST(TestChartView)
#include "tst_chart_view.moc"
