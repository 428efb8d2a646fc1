#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "tests/ui/plausible.h"
#include "ui/format.h"
#include "ui/keep_set_state.h"
#include "ui/pages/tokens_page.h"
#include "ui/row_state.h"
#include "ui/text_lines_model.h"
#include "ui/text_lines_view.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QAbstractButton>
#include <QAbstractItemModelTester>
#include <QApplication>
#include <QHeaderView>
#include <QScrollBar>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

QString textAt(const QAbstractItemModel& model, int row, int column)
{
    return model.index(row, column).data().toString();
}

/// Paragraphs of 5 to 40 words, each on a line of its own.
std::shared_ptr<const Analysis> bookOf(std::int64_t tokens)
{
    std::string text;
    std::vector<int> lengths;
    int rest = 5;
    for (std::int64_t i = 0; i < tokens; ++i) {
        const std::string word = --rest == 0 ? "end.\n" : "word ";
        text += word;
        lengths.push_back(static_cast<int>(word.size()));
        if (rest == 0)
            rest = 5 + static_cast<int>(i * 7 % 36);
    }
    return std::make_shared<const Analysis>(fixture::analysisOf(text, lengths));
}

struct Page {
    SelectionState selection;
    RowState rows { &selection };
    Session session;
    KeepSetState keepSets { &selection, &rows, &session };
    TokensPage page { &selection, &rows, &keepSets };
    TextLinesView* lines = page.linesView();

    explicit Page(const std::shared_ptr<const Analysis>& analysis = fixture::prose(3000))
    {
        rows.setAnalysis(analysis);
        page.resize(760, 520);
        page.show();
        press("showLines");
        QApplication::processEvents();
    }
    void press(const char* button) const { page.findChild<QAbstractButton*>(QLatin1String(button))->click(); }
};

} // namespace

class TestTextLinesView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void the_model_keeps_the_promises_of_models()
    {
        const auto analysis = fixture::prose(500);
        const auto document = std::make_shared<const TokenDocument>(*analysis);
        TextLinesModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setDocument(*analysis, document);
        std::vector<float> scores(500);
        std::ranges::generate(scores, [i = 0]() mutable { return static_cast<float>(i++ * 37 % 101); });
        model.setScores(scores);
        RowSelection chosen;
        chosen.title = "H2O";
        chosen.labels.assign(500, Label::evicted);
        std::fill_n(chosen.labels.begin() + 100, 50, Label::important);
        model.setSelection(0, chosen);
        const QPersistentModelIndex first = model.index(0, TextLinesModel::words);
        for (int column = 0; column < TextLinesModel::columns; ++column) {
            for (const Qt::SortOrder order : { Qt::DescendingOrder, Qt::AscendingOrder })
                model.sort(column, order);
        }
        QCOMPARE(model.lineAt(first.row()).begin, std::int64_t { 0 }); // which row moved where was told
        model.setScores(std::vector<float>(500, 1));
        model.setDocument(*fixture::prose(40), document);
    }

    void a_row_is_a_line_with_its_mean_and_what_is_kept_of_it()
    {
        const Page page;
        const auto* model = qobject_cast<TextLinesModel*>(page.lines->model());
        QVERIFY(page.lines->isVisible() && !page.page.view(0)->isVisible());
        const auto lines = text_lines(*page.rows.analysis());
        QCOMPARE(model->rowCount(), static_cast<int>(lines.size()));
        const auto means = line_means(lines, page.rows.row()->scores);
        const auto shares = line_shares(lines, page.rows.selection(1)->labels);
        for (const int row : { 0, 7, model->rowCount() - 1 }) {
            const auto at = static_cast<std::size_t>(row);
            QCOMPARE(textAt(*model, row, TextLinesModel::score), formatSignificant(means[at]));
            QCOMPARE(textAt(*model, row, TextLinesModel::secondSide), formatPercent(1 - shares[at][0], 0));
        }
        QCOMPARE(model->headerData(TextLinesModel::firstSide, Qt::Horizontal, Qt::DisplayRole).toString(),
            QStringLiteral("H2O"));
    }

    void bars_follow_the_sparsity()
    {
        Page page;
        const QAbstractItemModel& model = *page.lines->model();
        const QString before = textAt(model, 3, TextLinesModel::firstSide);
        const QImage picture = page.lines->viewport()->grab().toImage();
        page.selection.setSparsity(0.05);
        QVERIFY(textAt(model, 3, TextLinesModel::firstSide) != before);
        QVERIFY(page.lines->viewport()->grab().toImage() != picture);
    }

    void a_click_leads_to_the_tokens_of_the_line()
    {
        const Page page;
        const int row = 9;
        const std::int64_t begin = text_lines(*page.rows.analysis())[row].begin;
        const QRect cell = page.lines->visualRect(page.lines->model()->index(row, TextLinesModel::words));
        QTest::mouseClick(page.lines->viewport(), Qt::LeftButton, {}, cell.center());
        QCOMPARE(page.selection.token(), begin);
        QVERIFY(!page.lines->isVisible() && page.page.view(0)->isVisible());
        const QRectF box = page.page.view(0)->boxes(begin).front();
        QVERIFY(page.page.view(0)->viewport()->rect().contains(box.center().toPoint()));
    }

    void keys_lead_there_too_and_the_chosen_token_is_found_again()
    {
        Page page;
        page.selection.setToken(1500);
        const auto* model = qobject_cast<TextLinesModel*>(page.lines->model());
        const TextLine line = model->lineAt(page.lines->currentIndex().row());
        QVERIFY(line.begin <= 1500 && 1500 < line.end);
        page.page.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&page.page));
        page.lines->setFocus();
        QTest::keyClick(page.lines, Qt::Key_Down);
        QTest::keyClick(page.lines, Qt::Key_Return);
        QCOMPARE(page.selection.token(), line.end);
        QVERIFY(page.page.view(0)->isVisible());
    }

    void the_lines_can_be_sorted_by_what_is_kept()
    {
        const Page page;
        QAbstractItemModel& model = *page.lines->model();
        page.lines->sortByColumn(TextLinesModel::firstSide, Qt::DescendingOrder);
        const auto share = [&](int row) { return textAt(model, row, TextLinesModel::firstSide).chopped(1).toInt(); };
        for (int row = 1; row < model.rowCount(); ++row)
            QVERIFY(share(row) <= share(row - 1));
    }

    void lines_difference_and_columns_stand_in_for_one_another()
    {
        const Page page;
        page.press("showTokens");
        QVERIFY(page.page.view(0)->isVisible() && page.page.view(1)->isVisible());
        page.press("showDifference");
        QVERIFY(page.page.differenceView()->isVisible());
        page.page.findChild<QAbstractButton*>(QStringLiteral("showLines"))->setChecked(true);
        QVERIFY(page.lines->isVisible() && !page.page.differenceView()->isVisible());
        page.press("showTokens");
        QVERIFY(page.page.view(0)->isVisible() && !page.page.differenceView()->isVisible());
    }

    void words_can_be_read_on_a_small_screen()
    {
        Page page;
        page.page.resize(440, 520);
        QApplication::processEvents();
        QVERIFY(page.lines->columnWidth(TextLinesModel::words) >= 100);
        QVERIFY(!page.lines->horizontalScrollBar()->isVisible());
    }

    void a_very_long_text_is_overlooked_at_once()
    {
        Page page(bookOf(131072));
        QVERIFY(page.lines->model()->rowCount() > 5000);
        page.lines->sortByColumn(TextLinesModel::firstSide, Qt::DescendingOrder);
        QBENCHMARK
        {
            page.selection.setSparsity(page.selection.sparsity() == 0.5 ? 0.6 : 0.5);
            page.lines->viewport()->grab();
        }
    }

    void it_looks_well_in_light_and_dark()
    {
        Page page(bookOf(6000));
        page.selection.setPins({ { 10, 40, true }, { 90, 95, false } });
        test::savePictures(page.page, "text-lines");
    }
};

KEEPSET_TEST(TestTextLinesView)
#include "tst_text_lines_view.moc"
