#include "tests/support/test_main.h"
#include "ui/color_map.h"

#include <QColor>
#include <QtTest>

#include <cmath>

using namespace keepset::ui;

namespace {

/// CIE lightness L* of an sRGB colour.
double lightness(QRgb color)
{
    const auto linear = [](int channel) {
        const double c = channel / 255.0;
        return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    const double y = 0.2126 * linear(qRed(color)) + 0.7152 * linear(qGreen(color)) + 0.0722 * linear(qBlue(color));
    return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

} // namespace

class TestColorMap : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lightness_rises_evenly_along_the_map();
    void values_outside_take_the_ends_and_nan_is_grey();
    void a_scale_and_its_inverse_agree();
    void a_scale_and_its_inverse_agree_data();
    void log_shows_everything_at_or_below_its_low_end_alike();
    void percentile_gives_equal_shares_equal_room();
    void fitted_scales_survive_nasty_values();
    void ticks_of_a_colour_bar_are_inside_and_ascend();
};

void TestColorMap::lightness_rises_evenly_along_the_map()
{
    QCOMPARE(viridis(0), QRgb { 0xff440154 });
    QCOMPARE(viridis(1), QRgb { 0xfffde725 });
    double before = lightness(viridis(0));
    const double whole = lightness(viridis(1)) - before;
    for (int i = 1; i <= 16; ++i) {
        const double now = lightness(viridis(i / 16.0));
        QVERIFY2(std::abs((now - before) / whole - 1 / 16.0) < 0.02, qPrintable(QString::number(i)));
        before = now;
    }
}

void TestColorMap::values_outside_take_the_ends_and_nan_is_grey()
{
    QCOMPARE(viridis(-3), viridis(0));
    QCOMPARE(viridis(7), viridis(1));
    QCOMPARE(viridis(std::numeric_limits<double>::infinity()), viridis(1));
    const QColor none(viridis(std::nan("")));
    QVERIFY(none.saturation() < 20);
}

void TestColorMap::a_scale_and_its_inverse_agree_data()
{
    QTest::addColumn<int>("kind");
    QTest::newRow("linear") << static_cast<int>(ValueScaleKind::linear);
    QTest::newRow("log") << static_cast<int>(ValueScaleKind::log);
    QTest::newRow("percentile") << static_cast<int>(ValueScaleKind::percentile);
}

void TestColorMap::a_scale_and_its_inverse_agree()
{
    QFETCH(int, kind);
    std::vector<float> values;
    for (int i = 0; i < 5000; ++i)
        values.push_back(0.01F * std::exp(static_cast<float>(i) / 500.0F));
    const ValueScale scale = ValueScale::fitted(static_cast<ValueScaleKind>(kind), values);
    double before = -1;
    for (const double value : { 0.05, 0.4, 3.0, 77.0, 200.0 }) {
        const double position = scale.position(value);
        QVERIFY(position > before && position < 1);
        before = position;
        QVERIFY2(std::abs(scale.value(position) / value - 1) < 1e-9, qPrintable(QString::number(value)));
    }
}

void TestColorMap::log_shows_everything_at_or_below_its_low_end_alike()
{
    const ValueScale scale = ValueScale::log(0.01, 100);
    QCOMPARE(scale.position(0), 0.0);
    QCOMPARE(scale.position(-1), 0.0);
    QCOMPARE(scale.position(1), 0.5);
    QCOMPARE(scale.position(1e6), 1.0);
}

void TestColorMap::percentile_gives_equal_shares_equal_room()
{
    std::vector<float> values(1000, 0.5F);
    for (std::size_t i = 0; i < 500; ++i)
        values[i] = static_cast<float>(i) * 1000;
    const ValueScale scale = ValueScale::percentile(values);
    QVERIFY(std::abs(scale.position(0.5) - 0.5) < 0.01); // half the values are 0.5 or 0
    QVERIFY(std::abs(scale.position(250000) - 0.75) < 0.01);
    QVERIFY(std::isnan(scale.position(std::nan(""))));
}

void TestColorMap::fitted_scales_survive_nasty_values()
{
    const float none = std::nanf("");
    for (const ValueScaleKind kind : { ValueScaleKind::linear, ValueScaleKind::log, ValueScaleKind::percentile }) {
        for (const std::vector<float>& values :
            { std::vector<float> {}, { none, none }, { 0, 0, 0 }, { 3 }, { 1e-30F, 1e30F }, { none, -1, 2 } }) {
            const ValueScale scale = ValueScale::fitted(kind, values);
            for (const double value : { 0.0, 1.0, -5.0, 1e31 }) {
                const double position = scale.position(value);
                QVERIFY(position >= 0 && position <= 1);
            }
        }
    }
}

void TestColorMap::ticks_of_a_colour_bar_are_inside_and_ascend()
{
    const auto ticks = colorTicks(ValueScale::log(0.013, 1024), 6);
    QVERIFY(ticks.size() >= 4);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        QVERIFY(ticks[i].position >= 0 && ticks[i].position <= 1);
        QVERIFY(i == 0 || ticks[i].position > ticks[i - 1].position);
    }
    QCOMPARE(ticks[1].value, 1.0);
}

KEEPSET_TEST(TestColorMap)
#include "tst_color_map.moc"
