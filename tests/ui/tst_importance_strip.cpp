#include "tests/support/test_main.h"
#include "ui/importance_strip.h"
#include "ui/theme.h"

#include <QApplication>
#include <QImage>
#include <QTest>
#include <QWheelEvent>

#include <algorithm>

using namespace keepset::ui;

namespace {

/// Leftmost and rightmost x, in points, at which the upper half of the curve's area has the curve's colour; -1:
/// nowhere.
std::pair<double, double> peak(ImportanceStrip& strip, int scale)
{
    QImage image(strip.size() * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(Qt::white);
    strip.render(&image);
    std::pair<double, double> found { -1, -1 };
    for (int x = 58 * scale; x < image.width(); ++x) {
        for (int y = 5 * scale; y < 30 * scale; ++y) {
            const QColor color = image.pixelColor(x, y);
            if (color.blue() - color.red() < 60)
                continue;
            const double at = (x + 0.5) / scale;
            found = { found.first < 0 ? at : found.first, at };
        }
    }
    return found;
}

} // namespace

class TestImportanceStrip : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void a_lone_peak_is_seen_where_it_is_data()
    {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("scale");
        // More pixels than tokens, about as many, and fewer.
        for (const int tokens : { 1, 2, 100, 740, 1100, 1500, 8191, 131072 }) {
            for (const int scale : { 1, 2 })
                QTest::addRow("%d tokens, scale %d", tokens, scale) << tokens << scale;
        }
    }
    void a_lone_peak_is_seen_where_it_is()
    {
        QFETCH(int, tokens);
        QFETCH(int, scale);
        ImportanceStrip strip;
        strip.resize(800, 118);
        for (const int token : { 0, tokens / 3, tokens - 1 }) {
            std::vector<float> scores(static_cast<std::size_t>(tokens), 1.0F);
            scores[static_cast<std::size_t>(token)] = 1e4F;
            strip.setScores(scores);
            const auto [left, right] = peak(strip, scale);
            const double each = strip.xOf(1) - strip.xOf(0);
            const double middle = strip.xOf(token + 0.5);
            QVERIFY2(left >= 0, qPrintable(QString::number(token)));
            QVERIFY(left >= middle - each - 2);
            QVERIFY(right <= middle + each + 2);
        }
    }

    void the_wheel_zooms_about_the_cursor()
    {
        ImportanceStrip strip;
        strip.resize(800, 118);
        strip.setScores(std::vector<float>(10000, 1.0F));
        const std::int64_t before = strip.positionAt(400);
        QWheelEvent wheel(
            { 400, 40 }, { 400, 40 }, {}, { 0, 120 }, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(&strip, &wheel);
        QCOMPARE(strip.range().second - strip.range().first, 8000.0);
        QVERIFY(std::abs(strip.positionAt(400) - before) <= 1);
        QTest::mouseDClick(&strip, Qt::LeftButton, {}, { 400, 40 });
        QCOMPARE(strip.range(), (std::pair<double, double> { 0, 10000 }));
    }

    void nothing_and_less_room_than_margins_draw_nothing()
    {
        ImportanceStrip strip;
        strip.resize(800, 118);
        QCOMPARE(peak(strip, 1).first, -1.0);
        strip.setScores(std::vector<float>(5000, 1.0F));
        strip.resize(30, 20);
        QCOMPARE(peak(strip, 2).first, -1.0);
    }
};

KEEPSET_TEST(TestImportanceStrip)
#include "tst_importance_strip.moc"
