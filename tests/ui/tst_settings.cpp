#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/main_window.h"
#include "ui/panels/setup_panel.h"
#include "ui/range_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/widgets/error_bar.h"

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSettings>
#include <QTabWidget>
#include <QTest>
#include <QToolButton>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

/// What was chosen and opened is there again at the next start.
class TestSettings : public WindowTest {
    Q_OBJECT

private:
    static QComboBox* box(const MainWindow& window, const char* name)
    {
        return window.findChild<QComboBox*>(QLatin1String(name));
    }

private Q_SLOTS:
    void every_choice_is_remembered()
    {
        {
            MainWindow window;
            window.show();
            SelectionState* selection = window.selection();
            selection->setPolicies(parse_policy("streaming-llm"), parse_policy("cab(bridge=flow)"));
            selection->setImportance(Importance::mean_received);
            selection->setGqa(GqaReduction::sum);
            selection->setGranularity(Granularity::model);
            selection->setSparsity(0.655);
            window.findChild<SetupPanel*>()->setContext(512);
            box(window, "heatmapScale")->setCurrentIndex(2);
            box(window, "attentionReduction")->setCurrentIndex(1);
            window.findChild<QCheckBox*>(QStringLiteral("attentionLock"))->setChecked(false);
            box(window, "sweepScale")->setCurrentIndex(1);
            window.findChild<QLineEdit*>(QStringLiteral("sweepPolicies"))->setText(QStringLiteral("dense, recent"));
            window.selection()->range()->lock({ 0.0123456789, 20 });
            window.showPage(4);
            window.close();
        }
        const MainWindow window;
        const SelectionState* selection = window.selection();
        QCOMPARE(canonical(selection->policyA()), canonical(parse_policy("streaming-llm")));
        QCOMPARE(canonical(selection->policyB()), canonical(parse_policy("cab(bridge=flow)")));
        QCOMPARE(selection->importance(), Importance::mean_received);
        QCOMPARE(selection->gqa(), GqaReduction::sum);
        QCOMPARE(selection->granularity(), Granularity::model);
        QCOMPARE(selection->sparsity(), 0.655);
        QCOMPARE(window.findChild<SetupPanel*>()->context(), std::int64_t { 512 });
        QCOMPARE(box(window, "heatmapScale")->currentIndex(), 2);
        QCOMPARE(box(window, "attentionReduction")->currentIndex(), 1);
        QVERIFY(!window.findChild<QCheckBox*>(QStringLiteral("attentionLock"))->isChecked());
        QCOMPARE(box(window, "sweepScale")->currentIndex(), 1);
        QCOMPARE(window.tabs()->currentIndex(), 4);
        QCOMPARE(window.selection()->range()->locked(), (ValueRange { 0.0123456789, 20 }));
        QCOMPARE(
            window.findChild<QLineEdit*>(QStringLiteral("sweepPolicies"))->text(), QStringLiteral("dense, recent"));
        QCOMPARE(box(window, "importance")->currentText(), QStringLiteral("mean-received"));
    }

    /// By its name: a page may be added before it.
    void the_page_looked_at_last_is_remembered_by_its_name()
    {
        {
            MainWindow window;
            window.show();
            window.showPage(4);
            window.close();
        }
        QCOMPARE(QSettings().value(QStringLiteral("page")).toString(), QStringLiteral("sweep"));
        QSettings().setValue(QStringLiteral("page"), QStringLiteral("audit"));
        const MainWindow window;
        QCOMPARE(window.tabs()->tabText(window.tabs()->currentIndex()), QStringLiteral("Audit"));
        QSettings().setValue(QStringLiteral("page"), QStringLiteral("a page of another version"));
        QCOMPARE(MainWindow().tabs()->currentIndex(), 0);
    }

    void a_policy_chosen_elsewhere_has_a_row_that_can_be_removed()
    {
        MainWindow window;
        window.selection()->setPolicies(parse_policy("h2o"), parse_policy("h2o(local=0.3)"));
        const auto checked = [&] {
            QStringList titles;
            for (const QCheckBox* check : window.findChildren<QCheckBox*>(QStringLiteral("policy_h2o"))) {
                if (check->isChecked())
                    titles << check->text();
            }
            return titles;
        };
        QCOMPARE(checked().size(), 2);
        QVERIFY(checked()[1].contains(QStringLiteral("0.3")));
        window.findChild<QToolButton*>(QStringLiteral("remove_h2o"))->click();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QCOMPARE(checked().size(), 1);
        QVERIFY(!window.selection()->hasPolicy(1));
        QCOMPARE(window.selection()->policyA(), parse_policy("h2o"));
    }

    void the_next_start_opens_what_was_open()
    {
        const QString text = write("mine.txt", QByteArray("Some words of a text of mine. ").repeated(60));
        {
            MainWindow window;
            window.show();
            window.start({});
            window.openText(text);
            QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != nullptr, patience);
            QCOMPARE(window.session()->analysis()->provenance.text_name, std::string("mine.txt"));
            window.close();
        }
        QCOMPARE(recent(QStringLiteral("texts")).value(0), text);
        QCOMPARE(recent(QStringLiteral("models")).size(), 1);
        MainWindow window;
        window.show();
        window.start({});
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != nullptr, patience);
        QCOMPARE(window.session()->analysis()->provenance.text_name, std::string("mine.txt"));
    }

    void lists_hold_what_is_still_there_newest_first()
    {
        for (int i = 0; i < 10; ++i)
            addRecent(QStringLiteral("files"), write(qPrintable(QStringLiteral("run%1.h5").arg(i)), "x"));
        addRecent(QStringLiteral("files"), in(QStringLiteral("run7.h5")));
        QCOMPARE(recent(QStringLiteral("files")).size(), 8);
        QVERIFY(recent(QStringLiteral("files"))[0].endsWith(QStringLiteral("run7.h5")));
        QVERIFY(recent(QStringLiteral("files"))[1].endsWith(QStringLiteral("run9.h5")));
        QVERIFY(QFile::remove(in(QStringLiteral("run7.h5"))));
        QVERIFY(recent(QStringLiteral("files"))[0].endsWith(QStringLiteral("run9.h5")));
    }

    void a_model_folder_can_be_asked_for_by_keys_from_the_start()
    {
        const MainWindow window;
        const auto* open = window.findChild<QAction*>(QStringLiteral("openModel"));
        QCOMPARE(open->shortcut(), QKeySequence(QKeySequence::Open));
        QVERIFY(window.actions().contains(open));
    }

    void headings_of_menus_are_entries_that_can_be_read()
    {
        addRecent(QStringLiteral("texts"), write("seen.txt", "x"));
        const MainWindow window;
        auto* menu = window.findChild<QToolButton*>(QStringLiteral("openTextButton"))->menu();
        Q_EMIT menu->aboutToShow();
        QStringList words;
        for (const QAction* action : menu->actions()) {
            if (!action->isSeparator())
                words << action->text();
        }
        const qsizetype heading = words.indexOf(QStringLiteral("Recent"));
        QVERIFY(heading > 0);
        QCOMPARE(words.value(heading + 1), QStringLiteral("seen.txt"));
    }

    void two_errors_stand_below_one_another()
    {
        MainWindow window;
        window.show();
        window.start({ {}, {}, { in(QStringLiteral("a.h5")), in(QStringLiteral("b.h5")) } });
        auto* label = window.findChild<QLabel*>(QStringLiteral("errorText"));
        QTRY_VERIFY_WITH_TIMEOUT(label->text().contains(QStringLiteral("b.h5")), patience);
        QVERIFY(label->text().contains(QStringLiteral("a.h5")));
        window.errorBar()->hide();
        window.errorBar()->show(QStringLiteral("Something else."), {});
        QVERIFY(!label->text().contains(QStringLiteral("a.h5")));
    }
};

KEEPSET_TEST(TestSettings)
#include "tst_settings.moc"
