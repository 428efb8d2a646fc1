#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/format.h"
#include "ui/language.h"
#include "ui/main_window.h"
#include "ui/progress_words.h"
#include "ui/shown.h"
#include "ui/widgets/legend.h"

#include <QAction>
#include <QApplication>
#include <QDoubleSpinBox>
#include <QLocale>
#include <QSettings>
#include <QTabWidget>
#include <QTest>
#include <QTranslator>

using namespace keepset;
using namespace keepset::ui;

/// The window in another language.
class TestLanguage : public fixture::WindowTest {
    Q_OBJECT

private:
    /// Takes the translators away again, for the other tests of this program.
    static void speakEnglish()
    {
        for (QTranslator* translator : qApp->findChildren<QTranslator*>())
            delete translator;
    }

private Q_SLOTS:
    void cleanup() { speakEnglish(); }

    void a_german_user_reads_german()
    {
        speak(*qApp, QLocale(QStringLiteral("de_DE")));
        const MainWindow window;
        QCOMPARE(window.findChild<QAction*>(QStringLiteral("analyse"))->text(), QStringLiteral("Analysieren"));
        QCOMPARE(window.tabs()->tabText(3), QStringLiteral("Aufmerksamkeit"));
        QCOMPARE(labelTitle(Label::bridge), QStringLiteral("Brücke")); // of a function, which belongs to no class
        Shown shown;
        shown.stale = true;
        QVERIFY(staleWords(shown).startsWith(QStringLiteral("nicht vom")));
    }

    void progress_is_told_in_german_too()
    {
        speak(*qApp, QLocale(QStringLiteral("de_DE")));
        const QString words = progressWords({ "window 3 of 8", "points", 1024, 2048, 2, 75 });
        QCOMPARE(words,
            QStringLiteral("Fenster 3 von 8 · Punkte: 1,024 von 2,048 · 512 Punkte/s · noch %1")
                .arg(formatDuration(75)));
        QCOMPARE(progressWords({ "a stage of tomorrow", "steps", 1, 2 }),
            QStringLiteral("a stage of tomorrow · steps: 1 von 2"));
    }

    void numbers_keep_their_points()
    {
        speak(*qApp, QLocale(QStringLiteral("de_DE")));
        QCOMPARE(formatCount(1234567), QStringLiteral("1,234,567"));
        QCOMPARE(formatPercent(0.618), QStringLiteral("61.8%"));
    }

    void others_and_those_who_put_english_first_read_english()
    {
        for (const char* name : { "en_US", "fr_FR", "C" }) {
            speak(*qApp, QLocale(QLatin1String(name)));
            QCOMPARE(labelTitle(Label::bridge), QStringLiteral("bridge"));
        }
    }

    void a_german_window_fits_on_a_small_screen_too()
    {
        QSettings().clear();
        speak(*qApp, QLocale(QStringLiteral("de_DE")));
        MainWindow window;
        window.show();
        const QSize least = window.minimumSizeHint();
        QVERIFY2(least.width() <= 1000 && least.height() <= 660,
            qPrintable(QStringLiteral("%1 x %2").arg(least.width()).arg(least.height())));
    }
};

KEEPSET_TEST(TestLanguage)
#include "tst_language.moc"
