#include "tests/support/test_main.h"
#include "ui/plot/axis.h"

#include <QtTest>

#include <algorithm>
#include <cmath>

using namespace keepset::ui::plot;

class TestAxis : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void linear_ticks_are_round_and_inside();
    void log_ticks_of_a_range_without_decades_are_round_values();
    void log_ticks_of_many_decades_are_powers_of_ten();
    void every_log_range_has_ticks();
    void every_log_range_has_ticks_data();
    void a_broken_range_has_no_ticks();
    void labels_have_the_digits_that_tell_them_apart();
    void pixels_and_values_map_both_ways();
    void zooming_keeps_the_value_under_the_pointer();
    void a_range_leaves_out_what_cannot_be_drawn();
    void labels_that_collide_are_spread_and_stay_in_order();
    void labels_with_room_stay_where_they_want_to_be();
};

void TestAxis::linear_ticks_are_round_and_inside()
{
    QCOMPARE(tickLabels(linearTicks({ 0, 1 }, 5), NumberFormat::percent),
        (std::vector<QString> { "0%", "20%", "40%", "60%", "80%", "100%" }));
    const auto ticks = linearTicks({ -0.013, 0.21 }, 5);
    QCOMPARE(tickLabels(ticks, NumberFormat::signedPlain),
        (std::vector<QString> { "0.00", "+0.05", "+0.10", "+0.15", "+0.20" }));
    // However little room there is, a scale needs more than one tick.
    QCOMPARE(tickLabels(linearTicks({ -0.17, 0.19 }, 3), NumberFormat::signedPlain),
        (std::vector<QString> { "−0.1", "0.0", "+0.1" }));
}

void TestAxis::log_ticks_of_a_range_without_decades_are_round_values()
{
    const std::vector<double> expected { 15, 20, 25, 30, 40, 50, 60 };
    QCOMPARE(logTicks({ 14, 65 }, 8), expected);
}

void TestAxis::log_ticks_of_many_decades_are_powers_of_ten()
{
    const auto ticks = logTicks({ 0.01, 1024 }, 6);
    QCOMPARE(ticks.size(), std::size_t { 6 });
    QCOMPARE(
        tickLabels(ticks, NumberFormat::plain), (std::vector<QString> { "0.01", "0.1", "1", "10", "100", "1,000" }));
    QVERIFY(logTicks({ 1e-12, 1e12 }, 6).size() <= 8);
}

void TestAxis::every_log_range_has_ticks_data()
{
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("narrow") << 15.04 << 15.71;
    QTest::newRow("an octave") << 8.0 << 16.0;
    QTest::newRow("two decades") << 7.0 << 900.0;
    QTest::newRow("wide") << 8.77 << 212000.0;
    QTest::newRow("below one") << 0.0004 << 0.7;
}

void TestAxis::every_log_range_has_ticks()
{
    QFETCH(double, low);
    QFETCH(double, high);
    const auto ticks = logTicks({ low, high }, 7);
    QVERIFY2(ticks.size() >= 3 && ticks.size() <= 14, qPrintable(QString::number(ticks.size())));
    QVERIFY(std::is_sorted(ticks.begin(), ticks.end()));
    QVERIFY(ticks.front() >= low * (1 - 1e-9) && ticks.back() <= high * (1 + 1e-9));
}

void TestAxis::a_broken_range_has_no_ticks()
{
    QVERIFY(linearTicks({ 1, 1 }, 5).empty());
    QVERIFY(linearTicks({ 0, std::nan("") }, 5).empty());
    QVERIFY(logTicks({ 0, 10 }, 5).empty());
    QVERIFY(logTicks({ 10, 1 }, 5).empty());
}

void TestAxis::labels_have_the_digits_that_tell_them_apart()
{
    QCOMPARE(tickLabels({ 0, 0.5, 1 }, NumberFormat::percent), (std::vector<QString> { "0%", "50%", "100%" }));
    QCOMPARE(
        tickLabels({ 1000, 1500, 2000 }, NumberFormat::plain), (std::vector<QString> { "1,000", "1,500", "2,000" }));
    QCOMPARE(tickLabels({ -0.5, 0, 0.5 }, NumberFormat::signedPlain), (std::vector<QString> { "−0.5", "0.0", "+0.5" }));
}

void TestAxis::pixels_and_values_map_both_ways()
{
    const AxisMap map { { 14, 65 }, AxisScale::log, 400, 20 };
    QCOMPARE(map.toPixel(14), 400.0);
    QCOMPARE(map.toPixel(65), 20.0);
    QCOMPARE(map.toValue(map.toPixel(33)), 33.0);
    QCOMPARE(map.toPixel(std::sqrt(14.0 * 65.0)), 210.0);
}

void TestAxis::zooming_keeps_the_value_under_the_pointer()
{
    const AxisRange before { 1, 100 };
    const AxisRange after = zoomed(before, AxisScale::log, 0.5, 4);
    const AxisMap mapBefore { before, AxisScale::log, 0, 300 };
    const AxisMap mapAfter { after, AxisScale::log, 0, 300 };
    QCOMPARE(mapAfter.toPixel(4), mapBefore.toPixel(4));
    QVERIFY(std::abs(std::log10(after.high / after.low) - 1) < 1e-12);
}

void TestAxis::a_range_leaves_out_what_cannot_be_drawn()
{
    const double none = std::nan("");
    QCOMPARE(rangeOf({ none, 3, -2, 7 }, AxisScale::log), (AxisRange { 3, 7 }));
    QCOMPARE(rangeOf({ none, 3, -2, 7 }, AxisScale::linear), (AxisRange { -2, 7 }));
    QCOMPARE(rangeOf({ none }, AxisScale::log), (AxisRange { 1, 10 }));
    const AxisRange equal = rangeOf({ 5, 5 }, AxisScale::linear);
    QVERIFY(equal.low < 5 && equal.high > 5);
}

void TestAxis::labels_that_collide_are_spread_and_stay_in_order()
{
    const std::vector<double> wanted { 100, 101, 100.5, 250, 395 };
    const auto centres = spreadLabels(wanted, 16, 0, 400);
    QVERIFY(centres[0] < centres[2] && centres[2] < centres[1]);
    auto sorted = centres;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 1; i < sorted.size(); ++i)
        QVERIFY(sorted[i] - sorted[i - 1] >= 16 - 1e-9);
    QCOMPARE(centres[2], 100.5);
    QCOMPARE(centres[4], 392.0);
}

void TestAxis::labels_with_room_stay_where_they_want_to_be()
{
    const std::vector<double> wanted { 300, 40, 120 };
    QCOMPARE(spreadLabels(wanted, 16, 0, 400), wanted);
    QVERIFY(spreadLabels({}, 16, 0, 400).empty());
}

KEEPSET_TEST(TestAxis)
#include "tst_axis.moc"
