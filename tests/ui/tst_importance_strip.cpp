#include "core/keep_counts.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "ui/importance_strip.h"
#include "ui/plot/keep_marks.h"
#include "ui/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QLineSeries>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>
#include <QtTest>

#include <algorithm>
#include <cmath>

using namespace keepset;
using namespace keepset::ui;

namespace {

/// Leftmost and rightmost x, in points, at which the upper half of the curve's area has the curve's colour; -1:
/// nowhere.
std::pair<double, double> peak(ImportanceStrip& strip, int scale)
{
    QImage image(strip.size() * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(Qt::white);
    static_cast<QWidget&>(strip).render(&image);
    std::pair<double, double> found { -1, -1 };
    for (int x = 66 * scale; x < image.width(); ++x) {
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

    /// Of a strip that is seen: Qt Charts lays out every tick that it is asked for, in between, too.
    void a_long_text_behind_a_short_one_is_there_at_once()
    {
        ImportanceStrip strip;
        strip.resize(900, 160);
        strip.show();
        QVERIFY(QTest::qWaitForWindowExposed(&strip));
        QElapsedTimer timer;
        timer.start();
        for (const int tokens : { 10, 131072, 5, 131072 }) {
            strip.setScores(std::vector<float>(static_cast<std::size_t>(tokens), 1.0F), nullptr);
            strip.grab();
        }
        QVERIFY2(timer.elapsed() < 2000, qPrintable(QStringLiteral("%1 ms").arg(timer.elapsed())));
    }

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
        QApplication::sendEvent(strip.viewport(), &wheel);
        QCOMPARE(strip.range().second - strip.range().first, 8000.0);
        QVERIFY(std::abs(strip.positionAt(400) - before) <= 1);
        QTest::mouseDClick(strip.viewport(), Qt::LeftButton, {}, { 400, 40 });
        QCOMPARE(strip.range(), (std::pair<double, double> { 0, 10000 }));
    }

    void zoom_goes_back_by_button_and_key()
    {
        ImportanceStrip strip;
        strip.resize(800, 128);
        strip.setScores(std::vector<float>(10000, 1.0F));
        strip.grab();
        const auto whole = strip.range();
        QTest::keyClick(&strip, Qt::Key_Plus);
        const auto closer = strip.range();
        QVERIFY(closer != whole);
        QTest::mousePress(strip.viewport(), Qt::LeftButton, {}, { 400, 30 });
        QMouseEvent move(QEvent::MouseMove, QPointF(300, 30), QPointF(300, 30), Qt::NoButton, Qt::LeftButton, {});
        QApplication::sendEvent(strip.viewport(), &move);
        QTest::mouseRelease(strip.viewport(), Qt::LeftButton, {}, { 300, 30 });
        QVERIFY(strip.range().first > closer.first);
        QTest::mouseClick(strip.viewport(), Qt::RightButton, {}, { 400, 30 });
        QCOMPARE(strip.range(), closer);
        QTest::keyClick(&strip, Qt::Key_Backspace);
        QCOMPARE(strip.range(), whole);
    }

    void tokens_are_chosen_by_click_and_key()
    {
        ImportanceStrip strip;
        strip.resize(800, 128);
        strip.setScores(std::vector<float>(100, 1.0F));
        strip.grab();
        QSignalSpy clicked(&strip, &ImportanceStrip::tokenClicked);
        QTest::mouseClick(strip.viewport(), Qt::LeftButton, {}, QPoint(qRound(strip.xOf(40.5)), 30));
        QCOMPARE(clicked.last()[0].toLongLong(), 40);
        strip.setCurrent(40);
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(clicked.last()[0].toLongLong(), 41);
        strip.setCurrent(0);
        QTest::keyClick(&strip, Qt::Key_Left);
        QCOMPARE(clicked.last()[0].toLongLong(), 0);
    }

    void bars_have_the_height_of_the_share_kept_data()
    {
        QTest::addColumn<int>("tokens");
        QTest::newRow("many tokens a pixel") << 131072;
        QTest::newRow("some") << 8000;
    }
    void bars_have_the_height_of_the_share_kept()
    {
        QFETCH(int, tokens);
        RowSelection selection;
        selection.policy = selection.title = "h2o";
        for (int i = 0; i < tokens; ++i)
            selection.labels.push_back(i % 4 == 0 ? Label::important : Label::evicted);
        ImportanceStrip strip;
        strip.resize(800, 128);
        strip.setScores(std::vector<float>(static_cast<std::size_t>(tokens), 1.0F));
        strip.setSelection(0, selection);
        constexpr int scale = 4;
        QImage image(strip.size() * scale, QImage::Format_RGB32);
        image.setDevicePixelRatio(scale);
        static_cast<QWidget&>(strip).render(&image);
        const QRect row = QRectF(strip.rowRect(0).topLeft() * scale, strip.rowRect(0).size() * scale).toRect();
        const QColor orange = theme(false).label(Label::important);
        int colored = 0;
        for (int y = row.top(); y < row.top() + row.height(); ++y) {
            for (int x = row.left(); x < row.left() + 400; ++x)
                colored += image.pixelColor(x, y) == orange ? 1 : 0;
        }
        const double share = colored / (400.0 * row.height());
        QVERIFY2(share > 0.18 && share < 0.3, qPrintable(QString::number(share))); // a quarter is kept
        const auto shares = label_shares(selection.labels, 0, 8);
        QCOMPARE(shares[static_cast<std::size_t>(Label::important)], 0.25);
        QCOMPARE(shares[static_cast<std::size_t>(Label::evicted)], 0.0);
    }

    /// Ticks and curve have one scale, whatever size the strip had before.
    void axes_follow_every_resize()
    {
        const auto picture = [](ImportanceStrip& strip) {
            QImage image(strip.size(), QImage::Format_RGB32);
            static_cast<QWidget&>(strip).render(&image);
            return image;
        };
        const std::vector<float> scores(1024, 2);
        ImportanceStrip strip;
        strip.setFocusPolicy(Qt::NoFocus);
        strip.resize(500, 118);
        strip.setScores(scores);
        strip.show();
        QApplication::processEvents();
        for (const QSize size : { QSize(760, 118), QSize(620, 118), QSize(620, 150), QSize(1100, 150) }) {
            strip.resize(size);
            QApplication::processEvents();
            ImportanceStrip fresh;
            fresh.setFocusPolicy(Qt::NoFocus);
            fresh.resize(size);
            fresh.setScores(scores);
            fresh.show();
            QApplication::processEvents();
            QCOMPARE(picture(strip), picture(fresh));
        }
    }

    /// How long it takes bench_window tells.
    void of_a_very_long_text_no_more_is_laid_out_than_pixels_show()
    {
        ImportanceStrip strip;
        strip.resize(1100, 128);
        std::vector<float> scores(131072);
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = std::exp(static_cast<float>(i * 7919 % 1000) / 150);
        strip.setScores(scores);
        QImage image(strip.size(), QImage::Format_RGB32);
        static_cast<QWidget&>(strip).render(&image);
        const QList<QAbstractSeries*> series = strip.chart()->series();
        QCOMPARE(series.size(), 1);
        const auto* curve = qobject_cast<QLineSeries*>(series.front());
        QVERIFY(curve != nullptr);
        QVERIFY2(
            curve->count() > 500 && curve->count() <= 2 * strip.width(), qPrintable(QString::number(curve->count())));
    }

    void exports_hold_the_curve_the_names_and_every_token()
    {
        const auto analysis = fixture::prose(300);
        ImportanceStrip strip;
        strip.setScores(std::vector<float>(300, 0.1F), analysis);
        RowSelection selection;
        selection.policy = "cab(local=0.3,bridge=flow)";
        selection.title = "CAB (flow)";
        selection.labels.assign(300, Label::evicted);
        selection.labels[1] = Label::bridge;
        strip.setSelection(1, selection);
        Shown shown;
        shown.model = "demo model";
        shown.text = "demo.txt";
        strip.setShown(shown);
        const QTemporaryDir folder;
        QVERIFY(!exportChart(strip, folder.filePath("strip.svg")));
        QFile svg(folder.filePath("strip.svg"));
        QVERIFY(svg.open(QIODevice::ReadOnly));
        const QString picture = QString::fromUtf8(svg.readAll());
        for (const char* words : { "Importance over position", "demo model", "demo.txt", "CAB (flow)", "share kept" })
            QVERIFY2(picture.contains(QLatin1String(words)), words);
        QVERIFY(!picture.contains("<image"));
        const QStringList lines = strip.exportCsv().split("\r\n");
        QCOMPARE(lines[0], QString("position,token,importance,\"cab(local=0.3,bridge=flow)\""));
        QVERIFY2(lines[2].startsWith("1,") && lines[2].endsWith(",0.1,bridge"), qPrintable(lines[2]));
        QVERIFY(lines.size() >= 302);
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
