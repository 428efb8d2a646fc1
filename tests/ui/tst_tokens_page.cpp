#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "ui/keep_set_state.h"
#include "ui/pages/tokens_page.h"
#include "ui/row_state.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"
#include "ui/widgets/legend.h"

#include <QApplication>
#include <QTest>

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
};

KEEPSET_TEST(TestTokensPage)
#include "tst_tokens_page.moc"
