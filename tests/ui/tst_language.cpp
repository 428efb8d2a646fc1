#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/format.h"
#include "ui/language.h"
#include "ui/main_window.h"
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
        QCOMPARE(window.tabs()->tabText(2), QStringLiteral("Aufmerksamkeit"));
        QCOMPARE(labelTitle(Label::bridge), QStringLiteral("Brücke")); // of a function, which belongs to no class
        Shown shown;
        shown.stale = true;
        QVERIFY(staleWords(shown).startsWith(QStringLiteral("nicht vom")));
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
