#include "core/engine.h"
#include "tests/support/keep_files.h"
#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/exporter.h"
#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/main_window.h"
#include "ui/pages/attention_page.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/pictures.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/sweep_files.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"
#include "ui/widgets/error_bar.h"

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QDir>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include <set>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

/// Colours that a picture has; an empty or broken one has few.
std::size_t coloursOf(const QImage& image)
{
    std::set<QRgb> colours;
    for (int y = 0; y < image.height(); y += 7) {
        for (int x = 0; x < image.width(); x += 3)
            colours.insert(image.pixel(x, y));
    }
    return colours.size();
}

} // namespace

class TestMainWindow : public WindowTest {
    Q_OBJECT

private:
    /// Writes the picture where a person can look at it, and checks that something is on it.
    static void take(MainWindow& window, const QString& name)
    {
        const QDir folder(QCoreApplication::applicationDirPath() + QStringLiteral("/../pictures"));
        QVERIFY(folder.mkpath(QStringLiteral(".")));
        for (const bool dark : { false, true }) {
            setAppearance(*qApp, dark ? Appearance::dark : Appearance::light);
            QApplication::processEvents();
            for (const int scale : { 1, 2 }) {
                const QPixmap picture = pictureOf(&window, scale);
                QCOMPARE(picture.size(), window.size() * scale);
                const QImage image = picture.toImage();
                QVERIFY2(coloursOf(image) > 40, qPrintable(name));
                QCOMPARE(image.pixelColor(4 * scale, image.height() - 4 * scale).lightness() < 128, dark);
                QVERIFY(
                    picture.save(folder.filePath(QStringLiteral("%1-%2%3.png")
                                                     .arg(name, dark ? QStringLiteral("dark") : QStringLiteral("light"),
                                                         scale == 1 ? QString() : QStringLiteral("@2x")))));
            }
        }
        setAppearance(*qApp, Appearance::light);
    }

private Q_SLOTS:
    void what_should_be_known_about_a_text_stands_under_its_name()
    {
        SelectionState selection;
        Session session;
        ImportanceChoice importance(&selection, &session);
        SetupPanel panel(&selection, &importance);
        const auto* shown = panel.findChild<QLabel*>(QStringLiteral("textNotes"));
        panel.setText(QStringLiteral("windows.txt"), 10);
        QVERIFY(shown != nullptr && shown->isHidden());
        panel.setTextNotes({ QStringLiteral("begins with '<s>'") });
        QVERIFY(!shown->isHidden() && shown->text().contains(QStringLiteral("'<s>'")));
        QCOMPARE(shown->textFormat(), Qt::PlainText);
        panel.setText(QStringLiteral("other.txt"), std::nullopt); // what was said is about another text
        QVERIFY(shown->isHidden());
    }

    void an_empty_window_says_what_to_do()
    {
        MainWindow window;
        window.resize(1440, 900);
        window.show();
        take(window, QStringLiteral("empty"));
        QVERIFY(window.findChild<QLabel*>(QStringLiteral("emptyHint"))->isVisible());
        QVERIFY(!window.findChild<QAction*>(QStringLiteral("analyse"))->isEnabled());
        QVERIFY(!window.findChild<QAction*>(QStringLiteral("saveAnalysis"))->isEnabled());
    }

    void the_demo_is_analysed_and_every_page_has_a_picture()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        QTest::qWait(200); // the small maps come from their own thread
        for (int page = 0; page < window.tabs()->count(); ++page) {
            window.showPage(page);
            QApplication::processEvents();
            QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience); // attention is drawn beside the window
            take(window, QStringLiteral("done-") + window.tabs()->tabText(page).toLower());
        }
        QVERIFY(window.findChild<QLabel*>(QStringLiteral("inspectorText"))->text().size() > 2);
        QVERIFY(window.findChild<AttentionPage*>()->hasMap());
        const QTemporaryDir folder;
        window.exporter()->writeAll(folder.path(), QStringLiteral("svg"));
        for (const char* name : { "importance.svg", "heatmap-layers.svg", "heatmap-heads.svg", "attention.svg" })
            QVERIFY2(QFile::exists(folder.filePath(QLatin1String(name))), name);
    }

    void bridges_that_take_long_are_found_behind_the_window()
    {
        MainWindow window;
        openDemo(window);
        auto* rows = window.findChild<RowState*>();
        const PolicySpec flow = parse_policy("cab(bridge=flow)");
        QSignalSpy wanted(rows, &RowState::selectionWanted);
        window.selection()->setPolicies(parse_policy("cab"), flow);
        QCOMPARE(wanted.size(), 1);
        QVERIFY(window.session()->busy());
        QVERIFY(rows->selection(0).has_value());
        QVERIFY(!rows->selection(1).has_value()); // nothing was computed on this thread
        QVERIFY(rows->pending(1));
        QTRY_VERIFY_WITH_TIMEOUT(rows->selection(1).has_value(), patience);
        QVERIFY(!rows->pending(1));
        QCOMPARE(rows->selection(1)->labels, select_row(*rows->row(), window.selection()->request(1)).labels);
        QVERIFY(rows->selection(1)->labels != rows->selection(0)->labels);
        QVERIFY(rows->explanation(1, 40).has_value());

        // What is chosen in the meantime wins, and what nobody waits for is stopped.
        window.selection()->setPolicies(parse_policy("cab"), parse_policy("cab(bridge=curvature)"));
        window.selection()->setPolicies(parse_policy("cab"), parse_policy("h2o"));
        QCOMPARE(rows->selection(1)->policy, std::string("h2o"));
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QCOMPARE(rows->selection(1)->policy, std::string("h2o"));

        // What was stopped does not look as if it still came.
        window.selection()->setSparsity(0.71);
        window.selection()->setPolicies(parse_policy("cab"), parse_policy("cab(bridge=curvature)"));
        window.session()->cancel();
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QVERIFY(!rows->pending(1));
    }

    void a_busy_window_can_be_stopped()
    {
        MainWindow window;
        openDemo(window);
        auto* cancel = window.findChild<QAction*>(QStringLiteral("cancel"));
        QVERIFY(!cancel->isVisible());
        window.findChild<QAction*>(QStringLiteral("sweep"))->trigger();
        QTRY_VERIFY(cancel->isVisible());
        QVERIFY(!window.findChild<QAction*>(QStringLiteral("analyse"))->isEnabled());
        take(window, QStringLiteral("busy"));
        cancel->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QVERIFY(!cancel->isVisible());
        QVERIFY(window.findChild<QAction*>(QStringLiteral("analyse"))->isEnabled());
        QVERIFY(!window.errorBar()->isVisible());
    }

    void an_error_stands_in_the_bar_until_it_is_dismissed()
    {
        MainWindow window;
        window.resize(1440, 900);
        window.show();
        window.openModel(QStringLiteral("no/such/folder"));
        QTRY_VERIFY_WITH_TIMEOUT(window.errorBar()->isVisible(), patience);
        QVERIFY(window.errorBar()->text().contains(QStringLiteral("no/such/folder")));
        take(window, QStringLiteral("error"));
        window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window));
        QTest::keyClick(&window, Qt::Key_Escape);
        QTRY_VERIFY(!window.errorBar()->isVisible()); // a shortcut animates its button first
    }

    void the_slider_recolours_and_a_click_tells_why()
    {
        MainWindow window;
        openDemo(window);
        auto* slider = window.findChild<QSlider*>(QStringLiteral("sparsity"));
        auto* view = window.findChild<TokenTextView*>(QStringLiteral("tokenViewA"));
        const QImage before = view->viewport()->grab().toImage();
        slider->setValue(300);
        QCOMPARE(window.selection()->sparsity(), 0.3);
        QVERIFY(view->viewport()->grab().toImage() != before);
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, view->boxes(9).front().center().toPoint());
        QCOMPARE(window.selection()->token(), std::int64_t { 9 });
        QCOMPARE(window.findChild<QLabel*>(QStringLiteral("inspectorPosition"))->text(), QStringLiteral("9"));
    }

    void the_difference_shows_what_only_one_policy_keeps()
    {
        MainWindow window;
        openDemo(window);
        auto* page = window.findChild<TokensPage*>();
        auto* toggle = window.findChild<QToolButton*>(QStringLiteral("showDifference"));
        QVERIFY(!page->differenceView()->isVisible());
        QTest::mouseClick(toggle, Qt::LeftButton);
        QVERIFY(page->differenceView()->isVisible());
        QVERIFY(!page->view(0)->isVisible() && !page->view(1)->isVisible());
        const auto* rows = window.findChild<RowState*>();
        std::set<QString> seen;
        for (std::int64_t token = 0; token < rows->analysis()->context; ++token) {
            const auto kept = [&](int side) {
                return rows->selection(side)->labels[static_cast<std::size_t>(token)] != Label::evicted;
            };
            const QString wanted = kept(0) && kept(1) ? "kept by both"
                : kept(0)                             ? "only H2O"
                : kept(1)                             ? "only CAB"
                                                      : "evicted by both";
            QCOMPARE(page->differenceView()->stateTitleOf(token), wanted);
            seen.insert(wanted);
        }
        QCOMPARE(seen.size(), std::size_t { 4 });
        take(window, QStringLiteral("difference"));
        QTest::mouseClick(page->differenceView()->viewport(), Qt::LeftButton, {},
            page->differenceView()->boxes(9).front().center().toPoint());
        QCOMPARE(window.selection()->token(), std::int64_t { 9 });
        QTest::mouseClick(window.findChild<QToolButton*>(QStringLiteral("showSideBySide")), Qt::LeftButton);
        QVERIFY(!page->differenceView()->isVisible() && page->view(0)->isVisible() && page->view(1)->isVisible());
    }

    void the_attention_map_marks_the_keys_that_are_kept()
    {
        MainWindow window;
        openDemo(window);
        window.showPage(3);
        const auto* map = window.findChild<plot::HeatmapWidget*>(QStringLiteral("attentionMap"));
        QTRY_VERIFY_WITH_TIMEOUT(window.findChild<AttentionPage*>()->hasMap(), patience);
        const auto* rows = window.findChild<RowState*>();
        const auto marked = [&](int side) { return map->heatmap().marks.at(static_cast<std::size_t>(side)).labels; };
        QCOMPARE(map->heatmap().marks.size(), std::size_t { 2 });
        for (int side = 0; side < 2; ++side)
            QCOMPARE(marked(side), rows->selection(side)->labels);
        QVERIFY(map->heatmap().subtitle.contains(rows->scopeTitle()));
        const auto before = marked(0);
        window.selection()->setSparsity(0.3);
        QVERIFY(marked(0) != before);
        QCOMPARE(marked(0), rows->selection(0)->labels);
        window.selection()->setScope({ 3, 1 }); // of what is looked at now
        QCOMPARE(marked(1), rows->selection(1)->labels);
        QVERIFY(map->heatmap().subtitle.contains(rows->scopeTitle()));
    }

    void the_inspector_says_who_reads_a_token()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        auto* readers = window.findChild<QLabel*>(QStringLiteral("inspectorReaders"));
        const auto analysis = window.session()->analysis();
        const auto first = [&] { return token_readers(*analysis, window.selection()->scope(), 46, 1).largest.front(); };
        const auto link = [&] { return QStringLiteral("<a href='%1'").arg(first().query); };
        QTRY_VERIFY_WITH_TIMEOUT(readers->text().contains(link()), patience);
        QVERIFY(readers->text().contains(formatPercent(first().attention)));
        // Another scope has other readers.
        const QString whole = readers->text();
        window.selection()->setScope({ 7, 1 });
        QTRY_VERIFY_WITH_TIMEOUT(readers->text() != whole && readers->text().contains(link()), patience);
        const std::int64_t reader = first().query;
        Q_EMIT readers->linkActivated(QString::number(reader));
        QCOMPARE(window.selection()->token(), reader);
    }

    void a_third_policy_takes_the_place_of_the_older()
    {
        MainWindow window;
        window.findChild<QCheckBox*>(QStringLiteral("policy_recent"))->click();
        QCOMPARE(window.selection()->policyA().name, std::string("cab"));
        QCOMPARE(window.selection()->policyB().name, std::string("recent"));
        window.findChild<QCheckBox*>(QStringLiteral("policy_recent"))->click();
        QCOMPARE(window.selection()->policyA().name, std::string("cab"));
        QVERIFY(!window.selection()->hasPolicy(1));
    }

    void find_goes_to_the_token()
    {
        MainWindow window;
        openDemo(window);
        auto* find = window.findChild<QLineEdit*>(QStringLiteral("findToken"));
        QTest::keyClicks(find, QStringLiteral("microscope"));
        const std::int64_t first = window.selection()->token();
        QVERIFY(first > 0);
        auto* view = window.findChild<TokensPage*>()->view(0);
        const auto all = view->document()->matches(QStringLiteral("microscope"));
        QVERIFY(all.size() > 1);
        QTest::keyClick(find, Qt::Key_Return);
        QCOMPARE(window.selection()->token(), all[1]);
        const auto* message = window.findChild<QLabel*>(QStringLiteral("message"));
        QCOMPARE(message->text(), QStringLiteral("match 2 of %1 for “microscope”").arg(all.size()));
        for (std::size_t i = 1; i < all.size(); ++i)
            QTest::keyClick(find, Qt::Key_Return);
        QCOMPARE(window.selection()->token(), all[0]); // it goes round
        const QImage framed = view->viewport()->grab().toImage();
        find->selectAll();
        QTest::keyClick(find, Qt::Key_Delete);
        QVERIFY(view->viewport()->grab().toImage() != framed);
    }

    void a_dropped_table_is_audited()
    {
        MainWindow window;
        window.show();
        QTemporaryDir folder;
        QFile table(folder.filePath(QStringLiteral("table.csv")));
        QVERIFY(table.open(QIODevice::WriteOnly));
        table.write("method,sparsity,perplexity\ndense,0,8\nh2o,0,8\nh2o,0.5,9\ncab,0,8\ncab,0.5,9.5\n");
        table.close();
        QSignalSpy audited(window.session(), &Session::tableAudited);
        QMimeData data;
        data.setUrls({ QUrl::fromLocalFile(table.fileName()) });
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &drop);
        QTRY_COMPARE_WITH_TIMEOUT(audited.size(), 1, patience);
    }

    void a_dropped_method_of_ones_own_says_what_it_is_for_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("npz") << QStringLiteral("mine.npz");
        QTest::newRow("safetensors, in no model folder") << QStringLiteral("mine.safetensors");
    }
    void a_dropped_method_of_ones_own_says_what_it_is_for()
    {
        QFETCH(QString, name);
        MainWindow window;
        window.show();
        const QTemporaryDir folder;
        const std::vector<keep_files::Array> arrays { keep_files::scores({ 1, 1, 2 }, { 1, 2 }) };
        keep_files::write_bytes(folder.filePath(name).toStdString(),
            name.endsWith(QStringLiteral("npz")) ? keep_files::npz(arrays) : keep_files::safetensors(arrays));
        QMimeData data;
        data.setUrls({ QUrl::fromLocalFile(folder.filePath(name)) });
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &enter);
        QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &drop);
        const auto* bar = window.findChild<ErrorBar*>();
        QTRY_VERIFY_WITH_TIMEOUT(bar->isVisible(), patience);
        QVERIFY2(bar->text().contains(QStringLiteral("Choose the policy File and give it this path")),
            qPrintable(bar->text()));
    }

    void every_action_is_in_a_menu_or_has_a_shortcut_and_says_what_it_does()
    {
        MainWindow window;
        for (const QAction* action : window.actions()) {
            QVERIFY2(!action->objectName().isEmpty(), qPrintable(action->text()));
            QVERIFY2(!action->toolTip().isEmpty(), qPrintable(action->objectName()));
            const bool shown = !action->associatedObjects().isEmpty() && action->associatedObjects().size() > 1;
            QVERIFY2(shown || !action->shortcut().isEmpty(), qPrintable(action->objectName()));
        }
        QVERIFY(window.menuBar()->actions().size() >= 4);
        for (const char* name :
            { "context", "offset", "importance", "gqa", "granularity", "layer", "head", "sparsity" }) {
            const auto* widget = window.findChild<QWidget*>(QLatin1String(name));
            QVERIFY2(widget && !widget->accessibleName().isEmpty(), name);
            QVERIFY2(widget->focusPolicy() != Qt::NoFocus, name);
        }
    }

    void the_tour_is_shown_until_it_is_dismissed_for_ever()
    {
        MainWindow window;
        window.resize(1200, 800);
        window.show();
        window.startTour();
        auto* card = window.findChild<QWidget*>(QStringLiteral("tourCard"));
        QVERIFY(card && card->isVisible());
        QTest::mouseClick(window.findChild<QWidget*>(QStringLiteral("tourNever")), Qt::LeftButton);
        QVERIFY(!card->isVisible());
        QVERIFY(QSettings().value(QStringLiteral("tourDone")).toBool());
    }

    void choices_are_remembered()
    {
        {
            MainWindow window;
            window.show();
            window.findChild<QSlider*>(QStringLiteral("sparsity"))->setValue(650);
            window.close();
        }
        const MainWindow window;
        QCOMPARE(window.selection()->sparsity(), 0.65);
    }
};

KEEPSET_TEST(TestMainWindow)
#include "tst_main_window.moc"
