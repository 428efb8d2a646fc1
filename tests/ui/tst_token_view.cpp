#include "analysis_fixture.h"

#include "tests/support/test_main.h"
#include "ui/theme.h"
#include "ui/token_document.h"
#include "ui/token_layout.h"
#include "ui/token_text_view.h"

#include <QApplication>
#include <QScreen>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;

class TestTokenView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void tokens_tile_the_paragraphs()
    {
        const Analysis analysis = fixture::analysisOf("One two\nthree", { 3, 4, 1, 3 });
        const TokenDocument document(analysis);
        QCOMPARE(document.paragraphs().size(), std::size_t { 2 });
        QCOMPARE(document.tokens(), std::int64_t { 5 });
        const TokenPiece second = document.pieces()[document.firstPiece(1)];
        QCOMPARE(second.begin, 3.0);
        QCOMPARE(second.end, 7.0);
        QVERIFY(document.pieces()[document.firstPiece(2)].lineBreak);
        const TokenPiece third = document.pieces()[document.firstPiece(3)];
        QCOMPARE(third.paragraph, 1);
        QCOMPARE(third.begin, 0.0);
    }

    void a_token_over_a_line_break_has_a_piece_on_either_side()
    {
        const Analysis analysis = fixture::analysisOf("ab\n\ncd", { 1, 4 });
        const TokenDocument document(analysis);
        const std::size_t from = document.firstPiece(1);
        QCOMPARE(document.firstPiece(2) - from, std::size_t { 4 });
        QCOMPARE(document.pieces()[from].begin, 1.0);
        QVERIFY(document.pieces()[from + 1].lineBreak);
        QVERIFY(document.pieces()[from + 2].lineBreak);
        QCOMPARE(document.pieces()[from + 3].paragraph, 2);
        QCOMPARE(document.pieces()[from + 3].end, 1.0);
    }

    void pieces_of_one_character_share_its_width()
    {
        const Analysis analysis = fixture::analysisOf("a😀b", { 1, 1, 2, 1 }); // four bytes of an emoji in three tokens
        const TokenDocument document(analysis);
        QCOMPARE(document.pieces()[document.firstPiece(1)].begin, 1.0);
        QCOMPARE(document.pieces()[document.firstPiece(1)].end, 1.5);
        QCOMPARE(document.pieces()[document.firstPiece(2)].end, 2.5);
        QCOMPARE(document.pieces()[document.firstPiece(3)].end, 3.0);
        QCOMPARE(document.pieces()[document.firstPiece(4)].begin, 3.0);
    }

    void a_bos_token_is_shown_in_front()
    {
        Analysis analysis = fixture::analysisOf("text", {});
        analysis.bos = true;
        analysis.tokens.insert(analysis.tokens.begin(), Token { 0, 0, 0, "<s>" });
        const TokenDocument document(analysis);
        QCOMPARE(document.paragraphs()[0], QStringLiteral("<s>text"));
        QCOMPARE(document.pieces()[0].end, 3.0);
        QCOMPARE(document.pieces()[1].begin, 3.0);
    }

    void a_file_without_its_text_shows_the_tokens()
    {
        Analysis analysis = fixture::analysisOf("one two", { 3 });
        analysis.text.clear();
        const TokenDocument document(analysis);
        QCOMPARE(document.paragraphs()[0], QStringLiteral("one two"));
        QCOMPARE(document.pieces()[1].begin, 3.0);
    }

    void matches_are_all_and_each_once()
    {
        const TokenDocument document(fixture::analysisOf("red blue red", { 3, 5 }));
        using Tokens = std::vector<std::int64_t>;
        QCOMPARE(document.matches(QStringLiteral("RED")), (Tokens { 0, 2 }));
        QCOMPARE(document.matches(QStringLiteral(" blue")), (Tokens { 1 }));
        QCOMPARE(document.matches(QStringLiteral("e")), (Tokens { 0, 1, 2 }));
        QCOMPARE(document.matches(QStringLiteral("d b")), (Tokens { 0 }));
        QCOMPARE(document.matches(QStringLiteral("green")), Tokens());
        QCOMPARE(document.matches(QString()), Tokens());
    }

    void every_token_has_a_box_and_its_middle_hits_it_data()
    {
        QTest::addColumn<double>("width");
        QTest::newRow("narrow") << 120.0;
        QTest::newRow("column") << 400.0;
        QTest::newRow("wide") << 3000.0;
    }
    void every_token_has_a_box_and_its_middle_hits_it()
    {
        QFETCH(double, width);
        const auto analysis = fixture::prose(600);
        const auto document = std::make_shared<const TokenDocument>(*analysis);
        const TokenLayout layout(document, serifFont(), width);
        int last = 0;
        for (std::int64_t token = 0; token < document->tokens(); ++token) {
            const auto boxes = layout.boxes(token);
            QVERIFY2(!boxes.empty(), qPrintable(QStringLiteral("token %1 has no box").arg(token)));
            for (const QRectF& box : boxes) {
                QCOMPARE(layout.tokenAt(box.center()), token);
                QVERIFY(box.right() <= width + 12); // a mark for a line break may stand behind a full line
            }
            QVERIFY(layout.lineOf(token) >= last);
            last = layout.lineOf(token);
        }
        QCOMPARE(layout.tokenAt({ -5, 5 }), std::int64_t { -1 });
        QCOMPARE(layout.tokenAt({ 5, layout.height() + 5 }), std::int64_t { -1 });
    }

    void a_click_chooses_the_token_under_it()
    {
        TokenTextView view;
        view.resize(420, 300);
        view.setDocument(std::make_shared<const TokenDocument>(*fixture::prose(400)));
        view.show();
        QSignalSpy clicked(&view, &TokenTextView::tokenClicked);
        const QPoint middle = view.boxes(17).front().center().toPoint();
        QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, middle);
        QCOMPARE(clicked.size(), 1);
        QCOMPARE(clicked[0][0].toLongLong(), 17);
        view.setCurrent(17);
        QTest::keyClick(&view, Qt::Key_Right);
        QCOMPARE(clicked[1][0].toLongLong(), 18);
    }

    void reveal_brings_a_far_token_into_sight()
    {
        TokenTextView view;
        view.resize(420, 300);
        view.setDocument(std::make_shared<const TokenDocument>(*fixture::prose(4000)));
        view.show();
        view.reveal(3900);
        QVERIFY(view.verticalScrollBar()->value() > 0);
        QVERIFY(view.viewport()->rect().contains(view.boxes(3900).front().center().toPoint()));
    }

    void labels_change_the_picture_only_where_they_differ()
    {
        TokenTextView view;
        view.resize(420, 300);
        view.setDocument(std::make_shared<const TokenDocument>(*fixture::prose(100)));
        view.show();
        std::vector<Label> labels(100, Label::evicted);
        view.setLabels(labels);
        const QImage before = view.viewport()->grab().toImage();
        labels[5] = Label::bridge;
        view.setLabels(labels);
        const QImage after = view.viewport()->grab().toImage();
        const QRect box = view.boxes(5).front().toAlignedRect();
        QVERIFY(before.copy(box) != after.copy(box));
        const QRect other = view.boxes(60).front().toAlignedRect();
        QVERIFY(before.copy(other) == after.copy(other));
    }

    void what_is_drawn_in_part_looks_as_if_drawn_whole()
    {
        TokenTextView view;
        view.resize(430, 560);
        view.setDocument(std::make_shared<const TokenDocument>(*fixture::prose(2000)));
        std::vector<Label> labels(2000);
        for (std::size_t token = 0; token < labels.size(); ++token)
            labels[token] = static_cast<Label>(token * 7 / 3 % label_count);
        view.setLabels(labels);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QCoreApplication::processEvents();
        for (int i = 0; i < 40; ++i) { // near and far, on one line and on two, and none
            view.setHovered(i % 9 == 8 ? -1 : i * 31 % 150);
            view.setCurrent(i % 7 == 6 ? -1 : i * 53 % 150);
            if (i % 10 == 9)
                view.verticalScrollBar()->setValue(i * 5);
            QCoreApplication::processEvents();
            const QImage shown = view.screen()->grabWindow(view.winId()).toImage();
            QCOMPARE(shown.convertToFormat(QImage::Format_RGB32),
                view.grab().toImage().convertToFormat(QImage::Format_RGB32));
        }
    }
};

KEEPSET_TEST(TestTokenView)
#include "tst_token_view.moc"
