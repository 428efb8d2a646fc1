#include "tests/support/test_main.h"
#include "tests/ui/window_fixture.h"
#include "ui/main_window.h"
#include "ui/pages/card.h"
#include "ui/panels/setup_panel.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/token_text_view.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/legend.h"

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLayout>
#include <QPushButton>
#include <QScreen>
#include <QScrollArea>
#include <QScrollBar>
#include <QTabWidget>
#include <QTest>
#include <QToolButton>
#include <QVBoxLayout>

#include <set>
#include <vector>

using namespace keepset;
using namespace keepset::ui;
using namespace fixture;

namespace {

constexpr QSize smallest(1000, 660);

bool scrolls(const QWidget* widget)
{
    while (widget && !qobject_cast<const QAbstractScrollArea*>(widget))
        widget = widget->parentWidget();
    return widget != nullptr;
}

/// Legends and headings wrap: the first that does not get what it needs in its width.
QString cutOn(const QWidget& page)
{
    for (const QWidget* widget : page.findChildren<QWidget*>()) {
        const bool flows = widget->hasHeightForWidth() && !widget->layout();
        if (!widget->isVisible() || scrolls(widget) || !(flows || qobject_cast<const QLabel*>(widget)))
            continue;
        const int least = flows ? widget->heightForWidth(widget->width()) : widget->minimumSizeHint().height();
        const int seen = widget->visibleRegion().boundingRect().height();
        if (seen < least)
            return QStringLiteral("%1 %2 is seen %3 high and needs %4")
                .arg(QLatin1String(widget->metaObject()->className()), widget->objectName())
                .arg(seen)
                .arg(least);
    }
    return {};
}

} // namespace

/// The window fits on any screen, and nothing of it can be lost.
class TestScreen : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void the_window_fits_on_a_small_screen_on_every_page()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        for (int page = 0; page < window.tabs()->count(); ++page) {
            window.showPage(page);
            QApplication::processEvents();
            const QSize least = window.minimumSizeHint();
            QVERIFY2(least.width() <= smallest.width() && least.height() <= smallest.height(),
                qPrintable(QStringLiteral("%1 needs %2 x %3")
                               .arg(window.tabs()->tabText(page))
                               .arg(least.width())
                               .arg(least.height())));
        }
        window.resize(smallest);
        QApplication::processEvents();
        QCOMPARE(window.size(), smallest);
        for (int page = 0; page < window.tabs()->count(); ++page) {
            window.showPage(page);
            QTRY_VERIFY2(
                cutOn(*window.tabs()->currentWidget()).isEmpty(), qPrintable(cutOn(*window.tabs()->currentWidget())));
        }
        for (const char* name : { "setupDock", "tokenDock" })
            QVERIFY(window.findChild<QDockWidget*>(QLatin1String(name))->isVisible());
    }

    /// What a legend needs in its width, and not in that of its hint.
    void a_legend_in_a_narrow_column_is_seen_whole()
    {
        RowScores row;
        for (int i = 0; i < 1024; ++i)
            row.scores.push_back(static_cast<float>(1 + i * 7919 % 997));
        row.mass.assign(row.scores.begin(), row.scores.end());
        SelectRequest request;
        request.policy = parse_policy("cab");
        request.sparsity = 0.8;
        QWidget column;
        auto* layout = new QVBoxLayout(&column);
        auto* legend = new Legend(&column);
        legend->setSelection(select_row(row, request));
        layout->addWidget(legend);
        layout->addWidget(new TokenTextView(&column), 1);
        for (const int width : { 600, 230, 197, 180, 150 }) {
            column.resize(width, 320);
            column.show();
            QApplication::processEvents();
            QVERIFY2(legend->height() >= legend->heightForWidth(legend->width()),
                qPrintable(
                    QStringLiteral("%1 of %2 px").arg(legend->height()).arg(legend->heightForWidth(legend->width()))));
        }
    }

    void buttons_of_the_tool_bar_stand_apart()
    {
        MainWindow window;
        window.show();
        const auto* bar = window.findChild<QWidget*>(QStringLiteral("mainToolBar"));
        QCOMPARE(bar->layout()->spacing(), 8); // as the style sheet says
        QVERIFY(bar->layout()->contentsMargins().top() >= 7);
    }

    void the_first_start_fits_on_the_screen()
    {
        const MainWindow window;
        const QSize room = window.screen()->availableSize();
        QVERIFY(window.width() <= room.width() * 9 / 10 && window.height() <= room.height() * 9 / 10);
        QVERIFY(window.width() <= 1440 && window.height() <= 900);
    }

    void panels_come_and_go_by_keys_and_are_in_the_view_menu()
    {
        MainWindow window;
        window.show();
        window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window));
        const std::pair<const char*, Qt::Key> panels[] = { { "setupDock", Qt::Key_F9 }, { "tokenDock", Qt::Key_F10 } };
        for (const auto& [name, key] : panels) {
            auto* dock = window.findChild<QDockWidget*>(QLatin1String(name));
            QVERIFY(dock->isVisible());
            QTest::keyClick(&window, key);
            QTRY_VERIFY(!dock->isVisible());
            QTest::keyClick(&window, key);
            QTRY_VERIFY(dock->isVisible());
            QVERIFY(dock->toggleViewAction()->associatedObjects().size() >= 1);
        }
    }

    /// CAB's row has its bridges in its title and many fields below.
    void no_form_makes_setup_wider_than_its_panel()
    {
        MainWindow window;
        window.resize(smallest);
        window.show();
        auto* setup = window.findChild<SetupPanel*>();
        window.findChild<QToolButton*>(QStringLiteral("edit_cab"))->click();
        for (QComboBox* box : setup->findChildren<QComboBox*>()) {
            if (const int flow = box->findText(QStringLiteral("flow")); flow >= 0)
                box->setCurrentIndex(flow);
        }
        QCOMPARE(window.selection()->policyB().parameters.at("bridge"), std::string("flow"));
        QApplication::processEvents();
        auto* area = window.findChild<QDockWidget*>(QStringLiteral("setupDock"))->findChild<QScrollArea*>();
        QCOMPARE(area->horizontalScrollBar()->maximum(), 0);
        for (const QWidget* widget : setup->findChildren<QWidget*>()) {
            if (widget->isVisible())
                QVERIFY2(widget->mapTo(setup, widget->rect().topRight()).x() < area->viewport()->width(),
                    qPrintable(widget->objectName() + QLatin1String(widget->metaObject()->className())));
        }
    }

    /// What is looked at keeps its room: the panels have less of a narrow window.
    void panels_give_way_first()
    {
        MainWindow window;
        openDemo(window);
        window.selection()->setToken(46);
        const auto* setup = window.findChild<QDockWidget*>(QStringLiteral("setupDock"));
        QTRY_COMPARE(setup->width(), 284);
        window.resize(smallest);
        QTRY_VERIFY2(window.tabs()->width() >= 500, qPrintable(QString::number(window.tabs()->width())));
        for (const char* panel : { "setupDock", "tokenDock" }) { // and have enough for what is in them
            auto* dock = window.findChild<QDockWidget*>(QLatin1String(panel));
            QTRY_COMPARE(dock->findChild<QScrollArea*>()->horizontalScrollBar()->maximum(), 0);
        }
        window.resize(1440, 900);
        QTRY_COMPARE(setup->width(), 284);
    }

    /// Where a heading and its controls need two lines, the controls have one of them.
    void controls_of_a_heading_stay_together()
    {
        for (const Card::Words words : { Card::Words::behind, Card::Words::below }) {
            Card card(QStringLiteral("Some title of a card"), nullptr, words);
            std::vector<QPushButton*> controls;
            for (int i = 0; i < 4; ++i) {
                controls.push_back(new QPushButton(QStringLiteral("button %1").arg(i), &card));
                card.addControl(controls.back());
            }
            const auto* title = card.findChild<QLabel*>();
            card.show();
            const auto lines = [&](int width) {
                card.resize(width, 200);
                QApplication::processEvents();
                std::set<int> tops;
                for (const QPushButton* control : controls)
                    tops.insert(control->y());
                return tops;
            };
            QCOMPARE(lines(900).size(), std::size_t { 1 });
            QVERIFY(*lines(900).begin() < title->geometry().bottom());
            const int four = controls[3]->geometry().right() - controls[0]->x();
            const auto narrow = lines(four + 60);
            QCOMPARE(narrow.size(), std::size_t { 1 });
            QVERIFY(*narrow.begin() > title->geometry().bottom());
        }
    }

    void rows_of_controls_go_on_below()
    {
        QWidget row;
        auto* layout = new FlowLayout(8, &row);
        for (int i = 0; i < 4; ++i)
            layout->addWidget(new QPushButton(QStringLiteral("button %1").arg(i)));
        const int one = layout->heightForWidth(2000);
        QVERIFY(layout->heightForWidth(layout->sizeHint().width() / 2 + 20) >= 2 * one);
        row.resize(layout->sizeHint().width() / 2 + 20, 2 * one + 8);
        row.show();
        const auto buttons = row.findChildren<QPushButton*>();
        QCOMPARE(buttons[0]->y(), buttons[1]->y());
        QVERIFY(buttons[3]->y() > buttons[0]->y());
        buttons[0]->hide(); // takes no room
        QVERIFY(layout->sizeHint().width() < 4 * buttons[1]->width());
    }
};

KEEPSET_TEST(TestScreen)
#include "tst_screen.moc"
