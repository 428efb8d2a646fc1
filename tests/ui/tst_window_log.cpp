#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "tests/ui/window_fixture.h"
#include "ui/format.h"
#include "ui/main_window.h"
#include "ui/panels/log_panel.h"
#include "ui/session.h"
#include "ui/sweep_files.h"
#include "ui/theme.h"
#include "ui/widgets/error_bar.h"
#include "ui/widgets/wrapped_label.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QMimeData>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTest>
#include <QToolButton>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

/// Kilobytes, as the system says.
qint64 systemSays(const char* name)
{
    QFile file(QStringLiteral("/proc/meminfo"));
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    const QRegularExpression line(QStringLiteral("(?:^|\n)%1:\\s+(\\d+) kB").arg(QLatin1String(name)));
    return line.match(QString::fromLatin1(file.readAll())).captured(1).toLongLong();
}

QString logOf(const MainWindow& window) { return window.findChild<LogPanel*>()->text(); }

} // namespace

/// What the window says of itself: memory, log, what may be dropped, the tour.
class TestWindowLog : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void the_status_bar_says_how_much_memory_is_free()
    {
        MainWindow window;
        show(window);
        const auto* label = window.findChild<QLabel*>(QStringLiteral("memoryLabel"));
        QTRY_VERIFY_WITH_TIMEOUT(!label->text().isEmpty(), patience); // without a model: of this machine
        const qint64 total = systemSays("MemTotal") * 1024;
        QVERIFY(total > 0);
        QVERIFY2(label->text().contains(formatBytes(total)), qPrintable(label->text()));
        QSignalSpy seen(window.session(), &Session::memorySeen);
        QSignalSpy busy(window.session(), &Session::busyChanged);
        QTRY_VERIFY_WITH_TIMEOUT(seen.count() > 0, patience); // again and again
        QCOMPARE(busy.count(), 0); // for which nobody waits
        const qint64 free = seen[0][1].toLongLong();
        QVERIFY(free > 0 && free <= total);
        QCOMPARE(seen[0][2].toLongLong(), total);
        QVERIFY(label->text().contains(formatBytes(free)));
        QVERIFY(label->toolTip().contains(formatBytes(total - free))); // used
    }

    void the_log_says_what_was_done_and_what_went_wrong()
    {
        MainWindow window;
        openDemo(window);
        const QRegularExpression done(QStringLiteral("(?m)^\\d\\d:\\d\\d:\\d\\d  analysed 1,024 tokens in "));
        QVERIFY2(done.match(logOf(window)).hasMatch(), qPrintable(logOf(window)));
        QVERIFY(logOf(window).contains(QStringLiteral("opened demo model")));
        window.openFile(QStringLiteral("/no/such/trace.h5"));
        QTRY_VERIFY_WITH_TIMEOUT(window.errorBar()->isVisible(), patience);
        const QString last = logOf(window).trimmed().section(QLatin1Char('\n'), -1);
        QVERIFY2(last.contains(QStringLiteral("✕ ")) && last.contains(QStringLiteral("/no/such/trace.h5")),
            qPrintable(last));
        window.findChild<QToolButton*>(QStringLiteral("logCopy"))->click();
        QCOMPARE(QApplication::clipboard()->text(), logOf(window));
        window.findChild<QToolButton*>(QStringLiteral("logClear"))->click();
        QCOMPARE(logOf(window), QString());
    }

    void a_long_log_loses_its_oldest_lines()
    {
        LogPanel log;
        for (int i = 0; i < 2500; ++i)
            log.add(LogPanel::Kind::done, QStringLiteral("line %1").arg(i));
        const QStringList lines = log.text().trimmed().split(QLatin1Char('\n'));
        QVERIFY(lines.size() <= 2000 && lines.size() >= 1800);
        QVERIFY(lines.last().endsWith(QStringLiteral("line 2499")));
        QVERIFY(!log.text().contains(QStringLiteral("line 0\n")));
        log.add(LogPanel::Kind::warning, QStringLiteral("line 2499")); // another kind is another line
        log.add(LogPanel::Kind::warning, QStringLiteral("line 2499")); // the same is not
        QCOMPARE(log.text().count(QStringLiteral("⚠ line 2499")), 1);
    }

    void the_log_is_hidden_first_and_then_as_it_was_left()
    {
        {
            MainWindow window;
            show(window);
            auto* dock = window.findChild<QDockWidget*>(QStringLiteral("logDock"));
            QVERIFY(!dock->isVisible());
            QTest::keyClick(&window, Qt::Key_F11);
            QTRY_VERIFY(dock->isVisible());
            QVERIFY(window.findChild<QAction*>(QStringLiteral("showLog"))->isChecked());
            window.close();
        }
        MainWindow again;
        again.show();
        QVERIFY(again.findChild<QDockWidget*>(QStringLiteral("logDock"))->isVisible());
    }

    void a_drag_over_the_window_says_what_may_be_dropped()
    {
        MainWindow window;
        show(window);
        const auto* overlay = window.findChild<QWidget*>(QStringLiteral("dropOverlay"));
        QVERIFY(overlay && !overlay->isVisible());
        const QImage before = window.grab().toImage();
        QMimeData file;
        file.setUrls({ QUrl::fromLocalFile(write(QStringLiteral("story.txt"), "Once upon a time.")) });
        const auto enter = [&](const QMimeData& data) {
            QDragEnterEvent event({ 300, 300 }, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(&window, &event);
            return event.isAccepted();
        };
        QVERIFY(enter(file));
        QVERIFY(overlay->isVisible());
        QCOMPARE(overlay->geometry(), window.rect());
        QCOMPARE(overlay->accessibleDescription(), QStringLiteral("story.txt"));
        QVERIFY(window.grab().toImage() != before);
        test::savePictures(window, "drop");
        QDragLeaveEvent leave;
        QApplication::sendEvent(&window, &leave);
        QVERIFY(!overlay->isVisible());
        QVERIFY(enter(file));
        QDropEvent drop(QPointF(300, 300), Qt::CopyAction, &file, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &drop);
        QVERIFY(!overlay->isVisible());
        QMimeData picture;
        picture.setImageData(before);
        enter(picture);
        QVERIFY(!overlay->isVisible()); // of which nothing can be made
    }

    void a_wrapped_label_is_as_high_as_a_plain_one()
    {
        QLabel plain;
        plain.setWordWrap(true);
        plain.setTextFormat(Qt::RichText);
        WrappedLabel wrapped;
        for (const int words : { 3, 80, 20 }) {
            const QString html = QStringLiteral("<p>%1 <b>end</b></p>").arg(QStringLiteral("word ").repeated(words));
            plain.setText(html);
            wrapped.setWords(html);
            for (const int width : { 90, 210, 90, 400 })
                QCOMPARE(wrapped.heightForWidth(width), plain.heightForWidth(width));
        }
        for (QLabel* label : { &plain, static_cast<QLabel*>(&wrapped) })
            label->setFont(interfaceFont(30));
        QCOMPARE(wrapped.heightForWidth(210), plain.heightForWidth(210));
    }

    void the_tour_is_small_in_a_small_window()
    {
        MainWindow window;
        show(window);
        window.resize(1000, 660);
        window.startTour();
        auto* card = window.findChild<QWidget*>(QStringLiteral("tourCard"));
        auto* next = window.findChild<QWidget*>(QStringLiteral("tourNext"));
        for (int step = 0; step < 3; ++step) {
            const double share = card->width() * card->height() / (1000.0 * 660.0);
            QVERIFY2(share < 0.08, qPrintable(QStringLiteral("step %1 covers %2").arg(step).arg(share)));
            QVERIFY(window.rect().contains(card->geometry()));
            for (const auto* label : card->findChildren<QLabel*>())
                QTRY_VERIFY(label->height() >= label->heightForWidth(label->width()));
            QTest::mouseClick(next, Qt::LeftButton);
        }
        QVERIFY(!card->isVisible());
    }
};

KEEPSET_TEST(TestWindowLog)
#include "tst_window_log.moc"
