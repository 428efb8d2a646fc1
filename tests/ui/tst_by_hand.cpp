#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "tests/ui/plausible.h"
#include "tests/ui/window_fixture.h"
#include "ui/main_window.h"
#include "ui/pages/heatmap_page.h"
#include "ui/panels/label_map.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"
#include "ui/widgets/legend.h"

#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTest>

#include <cmath>
#include <set>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

/// WCAG 2.1: relative luminance, and the contrast of two opaque colours.
double luminance(const QColor& color)
{
    const auto linear
        = [](double part) { return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

double contrast(const QColor& a, const QColor& b)
{
    const auto [low, high] = std::minmax({ luminance(a), luminance(b) });
    return (high + 0.05) / (low + 0.05);
}

/// What a colour that lets some of the ground through looks like.
QColor over(const QColor& color, const QColor& ground)
{
    const double share = color.alphaF();
    const auto mix = [share](double a, double b) { return static_cast<float>(a * share + b * (1 - share)); };
    return QColor::fromRgbF(
        mix(color.redF(), ground.redF()), mix(color.greenF(), ground.greenF()), mix(color.blueF(), ground.blueF()));
}

} // namespace

/// Keys, focus and screen readers.
class TestByHand : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void evicted_and_secondary_text_can_be_read_in_light_and_dark()
    {
        for (const bool dark : { false, true }) {
            const Theme& colors = theme(dark);
            QCOMPARE(colors.label(Label::evicted).alpha(), 255);
            for (const QColor& ground : { colors.panel, colors.window }) {
                const double evicted = contrast(colors.label(Label::evicted), ground);
                QVERIFY2(ground != colors.panel || evicted >= 4.5, qPrintable(QString::number(evicted)));
                QVERIFY2(evicted < contrast(colors.ink, ground) / 2, "evicted text steps back");
                const double muted = contrast(colors.muted, ground);
                QVERIFY2(muted >= 4.5, qPrintable(QString::number(muted)));
            }
        }
    }

    void every_token_can_be_read_on_its_ground_in_light_and_dark()
    {
        std::vector<TokenState> states { Membership::neither, Membership::both, Membership::only_a,
            Membership::only_b };
        for (std::size_t label = 0; label < label_count; ++label)
            states.emplace_back(static_cast<Label>(label));
        for (const bool dark : { false, true }) {
            const Theme& colors = theme(dark);
            for (const TokenState& state : states) {
                const TokenStyle style = styleOf(colors, state);
                const QColor ground = style.fill.isValid() ? over(style.fill, colors.panel) : colors.panel;
                QVERIFY2(contrast(style.ink, ground) >= 4.5, qPrintable(stateTitle(state)));
            }
            QVERIFY(contrast(colors.ink, over(colors.chosenFill(), colors.panel)) >= 4.5);
        }
    }

    /// Qt gives a drop to the innermost widget that says it takes one, and to no other when that one refuses it.
    void a_file_may_be_dropped_anywhere_on_the_window()
    {
        MainWindow window;
        openDemo(window);
        window.showPage(4);
        QVERIFY(window.acceptDrops());
        for (const QWidget* widget : window.findChildren<QWidget*>()) {
            QVERIFY2(!widget->acceptDrops(),
                qPrintable(QLatin1String(widget->metaObject()->className()) + QLatin1Char(' ') + widget->objectName()));
        }
    }

    /// From widget to widget by Tab; each looks different with the focus than without.
    void tab_reaches_every_control_with_a_visible_change()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        QTest::qWait(300); // the small maps come from their own thread
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
        QApplication::setCursorFlashTime(0);
        std::set<QWidget*> reached;
        for (int page = 0; page < 4; ++page) {
            window.showPage(page);
            window.tabs()->setFocus();
            for (int i = 0; i < 150; ++i) {
                QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
                QWidget* widget = QApplication::focusWidget();
                QVERIFY(widget != nullptr);
                if (!reached.insert(widget).second)
                    continue;
                const QRect around(widget->mapTo(&window, QPoint(0, 0)), widget->size());
                const QImage with = window.grab(around).toImage();
                widget->clearFocus();
                QApplication::processEvents();
                const QImage without = window.grab(around).toImage();
                widget->setFocus(Qt::TabFocusReason);
                QVERIFY2(with != without,
                    qPrintable(QStringLiteral("%1 %2 on page %3")
                                   .arg(QLatin1String(widget->metaObject()->className()), widget->objectName())
                                   .arg(page)));
            }
        }
        for (const char* name : { "tokenViewA", "tokenViewB", "importanceStrip", "layerMap", "headSheet", "headScatter",
                 "attentionMap", "sparsity" })
            QVERIFY2(reached.contains(window.findChild<QWidget*>(QLatin1String(name))), name);
        for (QWidget* map : window.findChildren<LabelMap*>())
            QVERIFY(reached.contains(map));
    }

    void pages_have_keys()
    {
        MainWindow window;
        window.show();
        const auto go = [&](const char* action) {
            window.findChild<QAction*>(QLatin1String(action))->trigger();
            return window.tabs()->currentIndex();
        };
        for (int page = 0; page < window.tabs()->count(); ++page) {
            const QByteArray name = "page" + QByteArray::number(page + 1);
            QCOMPARE(go(name.constData()), page);
            const auto* action = window.findChild<QAction*>(QLatin1String(name));
            QCOMPARE(action->shortcut().toString(), QStringLiteral("Ctrl+%1").arg(page + 1));
        }
        QCOMPARE(go("nextPage"), 0);
        QCOMPARE(go("previousPage"), window.tabs()->count() - 1);
        QCOMPARE(window.findChild<QAction*>(QStringLiteral("previousPage"))->shortcut().toString(),
            QStringLiteral("Ctrl+PgUp"));
    }

    /// On Unix the name of a combo box is its entry; what it is for comes from the label that belongs to it.
    void combo_boxes_are_called_what_their_captions_say()
    {
        const MainWindow window;
        const auto captionsOf = [](QComboBox* box) {
            QStringList words;
            for (const auto& [other, relation] :
                QAccessible::queryAccessibleInterface(box)->relations(QAccessible::Label))
                words << other->text(QAccessible::Name);
            return words.join(QLatin1Char('|'));
        };
        for (QComboBox* box : window.findChildren<QComboBox*>())
            QVERIFY2(!captionsOf(box).isEmpty(), qPrintable(box->objectName()));
        const std::pair<const char*, const char*> expected[]
            = { { "context", "Context" }, { "importance", "Importance" }, { "gqa", "Query heads" },
                  { "granularity", "Keep set" }, { "layer", "Layer" }, { "head", "Key/value head" } };
        for (const auto& [name, words] : expected) {
            auto* box = window.findChild<QComboBox*>(QLatin1String(name));
            QVERIFY2(captionsOf(box).contains(QLatin1String(words)), qPrintable(captionsOf(box)));
        }
    }

    void a_screen_reader_reads_the_text_and_the_labels()
    {
        const auto analysis = prose(12);
        TokenTextView view;
        view.resize(500, 200);
        view.setDocument(std::make_shared<const TokenDocument>(*analysis));
        std::vector<Label> labels(12, Label::evicted);
        labels[3] = Label::bridge;
        view.setLabels(labels);
        view.setCurrent(3);
        QAccessibleInterface* reader = QAccessible::queryAccessibleInterface(&view);
        QAccessibleTextInterface* text = reader->textInterface();
        QVERIFY(text != nullptr);
        QCOMPARE(text->text(0, text->characterCount()), QString::fromStdString(analysis->text));
        const auto begin = static_cast<int>(analysis->tokens[3].byte_begin);
        QCOMPARE(text->cursorPosition(), begin);
        int first = 0;
        int last = 0;
        QCOMPARE(text->attributes(begin, &first, &last), QStringLiteral("label:bridge;"));
        QCOMPARE(first, begin);
        QCOMPARE(last, static_cast<int>(analysis->tokens[3].byte_end));
        QVERIFY(reader->state().readOnly);
        const QString value = reader->text(QAccessible::Value);
        QVERIFY2(value.startsWith(QStringLiteral("token 3 ")) && value.endsWith(QStringLiteral("bridge")),
            qPrintable(value));
        QSignalSpy chosen(&view, &TokenTextView::tokenClicked);
        text->setCursorPosition(0);
        QCOMPARE(chosen.value(0).value(0).toLongLong(), 0);
        QVERIFY(text->characterRect(begin).isValid());
    }

    void the_small_map_is_walked_by_arrows_and_chooses_by_enter()
    {
        auto keep = std::make_shared<KeepSet>();
        keep->layers = 4;
        keep->kv_heads = 2;
        keep->context = 5;
        keep->labels.assign(4 * 2 * 5, Label::important);
        LabelMap map;
        map.resize(200, 60);
        map.setKeepSet(keep, 2);
        QSignalSpy chosen(&map, &LabelMap::cellClicked);
        for (const Qt::Key key : { Qt::Key_Right, Qt::Key_Right, Qt::Key_Down, Qt::Key_Down, Qt::Key_Return })
            QTest::keyClick(&map, key);
        QCOMPARE(chosen.value(0).value(0).value<Scope>(), (Scope { 2, 1 }));
        QVERIFY(map.accessibleDescription().contains(QStringLiteral("layer 2, kv head 1")));
    }

    void a_double_click_shows_everything_and_chooses_nothing()
    {
        SelectionState selection;
        HeatmapPage page(&selection);
        page.resize(892, 760);
        QSignalSpy ready(&page, &HeatmapPage::mapsReady);
        page.setAnalysis(test::plausibleAnalysis(6, 3, 1000));
        QVERIFY(ready.count() > 0 || ready.wait());
        page.grab();
        selection.setToken(826);
        auto* map = page.findChild<plot::HeatmapWidget*>(QStringLiteral("layerMap"));
        map->setView({ 100, 300, 0, 4 });
        const QPoint at(map->width() / 2, map->height() / 3);
        QTest::mouseClick(map, Qt::LeftButton, {}, at);
        QVERIFY(selection.token() != 826);
        QVERIFY(selection.scope().layer >= 0);
        QTest::mouseDClick(map, Qt::LeftButton, {}, at);
        QCOMPARE(selection.token(), std::int64_t { 826 });
        QCOMPARE(selection.scope(), Scope {});
        QCOMPARE(map->view(), (MapView { 0, 1000, 0, 6 }));
    }

    void notches_of_the_wheel_are_one_step_back()
    {
        plot::HeatmapWidget map;
        map.resize(640, 300);
        plot::Heatmap content;
        content.values = plot::ownedValues(std::vector<float>(8000, 0.5F), { 8, 1000 });
        content.scale = ValueScale::linear(0, 1);
        map.setHeatmap(content);
        const MapView whole = map.view();
        const QPoint at(300, 100);
        for (int notch = 0; notch < 5; ++notch) {
            QWheelEvent turn(at, map.mapToGlobal(at), {}, { 0, 120 }, {}, {}, Qt::NoScrollPhase, false);
            QApplication::sendEvent(&map, &turn);
        }
        QVERIFY(map.view().columns() < whole.columns() / 2);
        map.undoZoom();
        QCOMPARE(map.view(), whole);
    }

    /// The number of the last row and the name of the first strip under it.
    void numbers_of_rows_and_names_of_strips_stand_apart()
    {
        plot::HeatmapWidget map;
        map.resize(640, 700);
        plot::Heatmap content;
        content.values = plot::ownedValues(std::vector<float>(1000 * 1000, 0.5F), { 1000, 1000 });
        content.scale = ValueScale::linear(0, 1);
        content.marks.push_back({ QStringLiteral("H2O"), std::vector<Label>(1000, Label::evicted), {} });
        map.setHeatmap(content);
        const QImage picture = map.grab().toImage();
        const QRectF strip = plot::layoutHeatmap(
            content, map.view(), plot::styleFor(map.palette()), QRectF(map.rect()).adjusted(0, 0, 0, -2))
                                 .strips.at(0);
        const QRgb ground = picture.pixel(2, 2);
        int empty = 0; // lines without a letter, from the middle of one to the middle of the other
        for (int y = static_cast<int>(strip.top()) - 12; y < static_cast<int>(strip.center().y()); ++y) {
            bool any = false;
            for (int x = 20; x < static_cast<int>(strip.left()) - 2; ++x)
                any = any || picture.pixel(x, y) != ground;
            empty += any ? 0 : 1;
        }
        QVERIFY2(empty >= 4, qPrintable(QString::number(empty)));
    }

    void both_texts_begin_on_one_line()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setSparsity(0.9);
        window.resize(1000, 660);
        QApplication::processEvents();
        const auto top = [&](const char* name) {
            const auto* view = window.findChild<QWidget*>(QLatin1String(name));
            return view->mapTo(&window, QPoint(0, 0)).y();
        };
        QCOMPARE(top("tokenViewA"), top("tokenViewB"));
        auto legends = window.findChildren<Legend*>();
        legends.removeIf([](const Legend* legend) { return !legend->isVisible(); }); // that of the difference
        QCOMPARE(legends.size(), 2);
        QCOMPARE(legends[0]->height(), legends[1]->height());
    }
};

KEEPSET_TEST(TestByHand)
#include "tst_by_hand.moc"
