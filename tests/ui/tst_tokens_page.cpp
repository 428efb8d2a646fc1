#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "ui/keep_set_state.h"
#include "ui/pages/tokens_page.h"
#include "ui/row_state.h"
#include "ui/text_lines_view.h"
#include "ui/theme.h"
#include "ui/token_state.h"
#include "ui/token_text_view.h"
#include "ui/widgets/legend.h"

#include <QAbstractButton>
#include <QApplication>
#include <QTest>

#include <set>

using namespace keepset;
using namespace keepset::ui;

class TestTokensPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void both_texts_begin_on_one_line_data()
    {
        QTest::addColumn<QString>("first");
        QTest::addColumn<QString>("second");
        QTest::newRow("plain") << "h2o"
                               << "cab";
        QTest::newRow("a long name") << "h2o"
                                     << "cab(local=0.25,bridge_ratio=0.35)";
        QTest::newRow("a long name first") << "h2o(local=0.123)"
                                           << "recent";
        QTest::newRow("few labels") << "dense"
                                    << "streaming-llm";
    }
    void both_texts_begin_on_one_line()
    {
        QFETCH(QString, first);
        QFETCH(QString, second);
        SelectionState selection;
        RowState rows(&selection);
        Session session;
        KeepSetState keepSets(&selection, &rows, &session);
        TokensPage page(&selection, &rows, &keepSets);
        rows.setAnalysis(fixture::prose(900));
        page.resize(1200, 560);
        page.show();
        selection.setPolicies(parse_policy(first.toStdString()), parse_policy(second.toStdString()));
        for (const int width : { 1200, 900, 720, 620, 540, 500, 460, 1000 }) {
            page.resize(width, 560);
            QApplication::processEvents();
            const auto top = [&](int side) { return page.view(side)->mapTo(&page, QPoint(0, 0)).y(); };
            QCOMPARE(top(0), top(1));
            QCOMPARE(page.view(0)->viewport()->width(), page.view(1)->viewport()->width());
            QCOMPARE(page.view(0)->boxes(120).front(), page.view(1)->boxes(120).front());
            for (const Legend* legend : page.findChildren<Legend*>()) // all of it can be seen
                QVERIFY(!legend->isVisible() || legend->height() == legend->heightForWidth(legend->width()));
        }
    }

    /// What a bar's colours mean is said where the bars are.
    void every_colour_of_the_bars_of_lines_is_in_their_legend()
    {
        SelectionState selection;
        RowState rows(&selection);
        Session session;
        KeepSetState keepSets(&selection, &rows, &session);
        TokensPage page(&selection, &rows, &keepSets);
        rows.setAnalysis(fixture::prose(900));
        selection.setPolicies(parse_policy("streaming-llm"), parse_policy("cab"));
        page.resize(760, 520);
        page.show();
        page.findChild<QAbstractButton*>(QStringLiteral("showLines"))->click();
        QApplication::processEvents();
        const Legend* legend = nullptr;
        for (const auto* one : page.findChildren<Legend*>())
            legend = one->isVisible() ? one : legend;
        QVERIFY(legend != nullptr);
        QVERIFY(!legend->visibleRegion().isEmpty());
        const auto coloursOf = [](QWidget* widget) {
            const QImage picture = widget->grab().toImage();
            std::set<QRgb> colours;
            for (int y = 0; y < picture.height(); ++y) {
                for (int x = 0; x < picture.width(); ++x)
                    colours.insert(picture.pixel(x, y));
            }
            return colours;
        };
        const auto bars = coloursOf(page.linesView()->viewport());
        const auto explained = coloursOf(const_cast<Legend*>(legend));
        std::set<Label> seen;
        for (const Label label : { Label::sink, Label::local, Label::bridge, Label::important }) {
            const QRgb colour = theme(false).label(label).rgb();
            if (!bars.contains(colour))
                continue;
            seen.insert(label);
            QVERIFY2(explained.contains(colour), qPrintable(labelTitle(label)));
            QVERIFY(legend->accessibleDescription().contains(labelTitle(label)));
        }
        QVERIFY(seen.size() >= 3);
        QVERIFY(explained.contains(theme(false).line.rgb())); // what is evicted
    }
};

KEEPSET_TEST(TestTokensPage)
#include "tst_tokens_page.moc"
