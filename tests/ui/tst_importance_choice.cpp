#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/pages/tokens_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/widgets/error_bar.h"

#include <QComboBox>
#include <QLabel>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

/// Importance by the last queries in the window: chosen, made behind it, shown everywhere, remembered.
class TestImportanceChoice : public WindowTest {
    Q_OBJECT

private:
    static QComboBox* mode(const MainWindow& window)
    {
        return window.findChild<QComboBox*>(QStringLiteral("importance"));
    }
    static QSpinBox* queries(const MainWindow& window)
    {
        return window.findChild<QSpinBox*>(QStringLiteral("importanceQueries"));
    }
    static void choose(const MainWindow& window, const QString& name)
    {
        mode(window)->setCurrentIndex(mode(window)->findText(name));
    }
    static const plot::Heatmap& map(const MainWindow& window, const char* name)
    {
        return window.findChild<plot::HeatmapWidget*>(QLatin1String(name))->heatmap();
    }
    /// Whether an entry can be chosen, and why it cannot.
    static bool enabled(const MainWindow& window, const QString& name)
    {
        const auto* items = qobject_cast<QStandardItemModel*>(mode(window)->model());
        return items->item(mode(window)->findText(name))->isEnabled();
    }
    static QString reason(const MainWindow& window, const QString& name)
    {
        return mode(window)->itemData(mode(window)->findText(name), Qt::ToolTipRole).toString();
    }
    static bool saysSomewhere(const MainWindow& window, const QString& words)
    {
        const auto labels = window.findChildren<QLabel*>();
        return std::ranges::any_of(
            labels, [&](const QLabel* label) { return label->isVisible() && label->text().contains(words); });
    }

private Q_SLOTS:
    void a_mode_is_shown_everywhere_once_it_is_made()
    {
        MainWindow window;
        openDemo(window);
        const SelectionState* selection = window.selection();
        QVERIFY(queries(window)->isHidden());
        for (const char* name : { "cumulative", "mean-received", "window", "last-query" })
            QVERIFY2(enabled(window, name), name);
        window.showPage(1);
        choose(window, "window");
        QVERIFY(selection->importance() == Importance::cumulative); // what is shown is of one mode
        QVERIFY(!queries(window)->isHidden());
        QCOMPARE(queries(window)->value(), 32);
        QTRY_VERIFY_WITH_TIMEOUT(selection->importance() == Importance::window(32), patience);
        const auto analysis = window.session()->analysis();
        const RowScores row = row_scores(*analysis, { 1, -1 }, Importance::window(32), GqaReduction::mean);
        QTRY_COMPARE_WITH_TIMEOUT(map(window, "layerMap").valueTitle, "importance, last 32 queries", patience);
        QCOMPARE(map(window, "layerMap").values->pyramid.at({ 1, 17 }), row.scores[17]);
        QTRY_VERIFY(saysSomewhere(window, "window:32"));
        window.showPage(2);
        QTRY_COMPARE_WITH_TIMEOUT(map(window, "headSheet").valueTitle, "importance, last 32 queries", patience);
        window.showPage(0);
        window.selection()->setToken(17);
        QTRY_VERIFY(saysSomewhere(window, "Importance over position, last 32 queries"));
        QTRY_VERIFY(saysSomewhere(window, "from the last 32 queries")); // why, in the inspector
        queries(window)->setValue(5);
        QTRY_VERIFY_WITH_TIMEOUT(selection->importance() == Importance::window(5), patience);
        choose(window, "last-query");
        QTRY_VERIFY_WITH_TIMEOUT(selection->importance() == Importance::last_query, patience);
        QVERIFY(queries(window)->isHidden());
        QTRY_VERIFY(saysSomewhere(window, "Importance over position, last query"));
        choose(window, "cumulative"); // is there: at once
        QVERIFY(selection->importance() == Importance::cumulative);
        QVERIFY(!window.errorBar()->isVisible());
    }

    void the_last_of_quick_choices_counts()
    {
        MainWindow window;
        openDemo(window);
        const QSignalSpy shown(window.selection(), &SelectionState::importanceChanged);
        choose(window, "window");
        for (const int wanted : { 3, 4, 5, 6, 7 })
            queries(window)->setValue(wanted);
        QTRY_VERIFY_WITH_TIMEOUT(window.selection()->importance() == Importance::window(7), patience);
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QCOMPARE(queries(window)->value(), 7);
        choose(window, "last-query");
        choose(window, "mean-received"); // before that is made
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QVERIFY(window.selection()->importance() == Importance::mean_received);
        QCOMPARE(mode(window)->currentText(), "mean-received");
        QVERIFY(!window.errorBar()->isVisible());
    }

    void an_analysis_is_made_with_it_and_it_is_remembered()
    {
        {
            MainWindow window;
            openDemo(window);
            choose(window, "window");
            queries(window)->setValue(48);
            QTRY_VERIFY_WITH_TIMEOUT(window.selection()->importance() == Importance::window(48), patience);
            const auto before = window.session()->analysis();
            QVERIFY(before->by_last_queries.empty());
            window.analyse();
            QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != before, patience);
            const auto analysis = window.session()->analysis();
            QVERIFY(analysis->by_last_queries.contains(Importance::window(48)));
            QVERIFY(analysis->provenance.command.find("--importance window:48") != std::string::npos);
            QVERIFY(window.selection()->importance() == Importance::window(48));
            QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
            window.close();
        }
        MainWindow window;
        QVERIFY(window.selection()->importance() == Importance::window(48));
        QCOMPARE(mode(window)->currentText(), "window");
        QCOMPARE(queries(window)->value(), 48);
        openDemo(window);
        QVERIFY(window.session()->analysis()->by_last_queries.contains(Importance::window(48)));
        QVERIFY(window.selection()->importance() == Importance::window(48));
    }

    void a_shorter_text_says_why_it_is_shown_otherwise()
    {
        QSettings().setValue(QStringLiteral("importance"), QStringLiteral("window:500"));
        MainWindow window;
        show(window);
        window.openModel(demo(QStringLiteral("model")));
        window.openText(write(QStringLiteral("short.txt"), "No one would have believed it."));
        waitForAnalysis(window);
        QVERIFY(window.selection()->importance() == Importance::cumulative);
        QCOMPARE(mode(window)->currentText(), "cumulative");
        QVERIFY(window.errorBar()->isVisible());
        QVERIFY(saysSomewhere(window, "sums over the last 500 queries"));
        const auto context = static_cast<int>(window.session()->analysis()->context);
        QCOMPARE(queries(window)->maximum(), context);
        choose(window, "window");
        QTRY_VERIFY_WITH_TIMEOUT(window.selection()->importance().kind == Importance::Kind::window, patience);
        QVERIFY(window.selection()->importance().queries <= context);
    }

    void a_trace_offers_what_it_holds()
    {
        const QString plain = in(QStringLiteral("plain.h5"));
        const QString with = in(QStringLiteral("window16.h5"));
        {
            MainWindow window;
            openDemo(window);
            const QSignalSpy saved(window.session(), &Session::saved);
            window.session()->saveAnalysis(plain, { window.selection()->request(0) });
            QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, patience);
            choose(window, "window");
            queries(window)->setValue(16);
            QTRY_VERIFY_WITH_TIMEOUT(window.selection()->importance() == Importance::window(16), patience);
            window.session()->saveAnalysis(with, { window.selection()->request(0) });
            QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 2, patience);
        }
        QSettings().setValue(QStringLiteral("importance"), QStringLiteral("window:32"));
        MainWindow window;
        show(window);
        window.openFile(plain);
        waitForAnalysis(window);
        QVERIFY(window.selection()->importance() == Importance::cumulative);
        QVERIFY(saysSomewhere(window, "does not hold the importance 'window:32'"));
        QVERIFY(enabled(window, "mean-received") && !enabled(window, "window") && !enabled(window, "last-query"));
        QVERIFY2(reason(window, "last-query").contains("'last-query'"), qPrintable(reason(window, "last-query")));
        QVERIFY(reason(window, "cumulative").isEmpty());
        window.openFile(with);
        QTRY_VERIFY_WITH_TIMEOUT(enabled(window, "window"), patience);
        QVERIFY(!enabled(window, "last-query"));
        choose(window, "window");
        QVERIFY(window.selection()->importance() == Importance::window(16)); // is there: at once
        QCOMPARE(queries(window)->value(), 16);
        QVERIFY(!queries(window)->isEnabled());
        QVERIFY(saysSomewhere(window, "Importance over position, last 16 queries"));
    }
};

KEEPSET_TEST(TestImportanceChoice)
#include "tst_importance_choice.moc"
