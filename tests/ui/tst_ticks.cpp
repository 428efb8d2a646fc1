#include "tests/support/test_main.h"
#include "ui/charts/ticks.h"

#include <QtTest>

#include <algorithm>
#include <cmath>

using namespace keepset::ui::charts;

class TestTicks : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void linear_ticks_are_round_and_inside();
    void log_ticks_of_a_range_without_decades_are_round_values();
    void log_ticks_of_many_decades_are_powers_of_ten();
    void every_log_range_has_ticks();
    void every_log_range_has_ticks_data();
    void a_broken_range_has_no_ticks();
    void labels_have_the_digits_that_tell_them_apart();
    void zooming_keeps_the_value_under_the_pointer();
    void a_range_leaves_out_what_cannot_be_drawn();
    void labels_that_collide_are_spread_and_stay_in_order();
    void labels_with_room_stay_where_they_want_to_be();
};

void TestTicks::linear_ticks_are_round_and_inside()
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

void TestTicks::log_ticks_of_a_range_without_decades_are_round_values()
{
    const std::vector<double> expected { 15, 20, 25, 30, 40, 50, 60 };
    QCOMPARE(logTicks({ 14, 65 }, 8), expected);
}

void TestTicks::log_ticks_of_many_decades_are_powers_of_ten()
{
    const auto ticks = logTicks({ 0.01, 1024 }, 6);
    QCOMPARE(ticks.size(), std::size_t { 6 });
    QCOMPARE(
        tickLabels(ticks, NumberFormat::plain), (std::vector<QString> { "0.01", "0.1", "1", "10", "100", "1,000" }));
    QVERIFY(logTicks({ 1e-12, 1e12 }, 6).size() <= 8);
}

void TestTicks::every_log_range_has_ticks_data()
{
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("narrow") << 15.04 << 15.71;
    QTest::newRow("an octave") << 8.0 << 16.0;
    QTest::newRow("two decades") << 7.0 << 900.0;
    QTest::newRow("wide") << 8.77 << 212000.0;
    QTest::newRow("below one") << 0.0004 << 0.7;
}

void TestTicks::every_log_range_has_ticks()
{
    QFETCH(double, low);
    QFETCH(double, high);
    const auto ticks = logTicks({ low, high }, 7);
    QVERIFY2(ticks.size() >= 3 && ticks.size() <= 14, qPrintable(QString::number(ticks.size())));
    QVERIFY(std::is_sorted(ticks.begin(), ticks.end()));
    QVERIFY(ticks.front() >= low * (1 - 1e-9) && ticks.back() <= high * (1 + 1e-9));
}

void TestTicks::a_broken_range_has_no_ticks()
{
    QVERIFY(linearTicks({ 1, 1 }, 5).empty());
    QVERIFY(linearTicks({ 0, std::nan("") }, 5).empty());
    QVERIFY(logTicks({ 0, 10 }, 5).empty());
    QVERIFY(logTicks({ 10, 1 }, 5).empty());
}

void TestTicks::labels_have_the_digits_that_tell_them_apart()
{
    QCOMPARE(tickLabels({ 0, 0.5, 1 }, NumberFormat::percent), (std::vector<QString> { "0%", "50%", "100%" }));
    QCOMPARE(
        tickLabels({ 1000, 1500, 2000 }, NumberFormat::plain), (std::vector<QString> { "1,000", "1,500", "2,000" }));
    QCOMPARE(tickLabels({ -0.5, 0, 0.5 }, NumberFormat::signedPlain), (std::vector<QString> { "−0.5", "0.0", "+0.5" }));
}

void TestTicks::zooming_keeps_the_value_under_the_pointer()
{
    const AxisRange after = zoomed({ 1, 101 }, 0.5, 26);
    QCOMPARE(after, (AxisRange { 13.5, 63.5 }));
    QCOMPARE((26 - after.low) / after.length(), (26 - 1) / 100.0);
}

void TestTicks::a_range_leaves_out_what_cannot_be_drawn()
{
    const double none = std::nan("");
    QCOMPARE(rangeOf({ none, 3, -2, 7 }), (AxisRange { -2, 7 }));
    QCOMPARE(rangeOf({ none }), (AxisRange { 0, 1 }));
    const AxisRange equal = rangeOf({ 5, 5 });
    QVERIFY(equal.low < 5 && equal.high > 5);
}

void TestTicks::labels_that_collide_are_spread_and_stay_in_order()
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

void TestTicks::labels_with_room_stay_where_they_want_to_be()
{
    const std::vector<double> wanted { 300, 40, 120 };
    QCOMPARE(spreadLabels(wanted, 16, 0, 400), wanted);
    QVERIFY(spreadLabels({}, 16, 0, 400).empty());
}

KEEPSET_TEST(TestTicks)
#include "tst_ticks.moc"
