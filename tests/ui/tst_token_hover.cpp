#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "tests/ui/plausible.h"
#include "ui/format.h"
#include "ui/keep_set_state.h"
#include "ui/pages/tokens_page.h"
#include "ui/row_state.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"
#include "ui/widgets/token_card.h"

#include <QAbstractButton>
#include <QApplication>
#include <QScrollBar>
#include <QTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

/// A page on its own, as large as on a small screen.
struct Page {
    SelectionState selection;
    RowState rows { &selection };
    Session session;
    KeepSetState keepSets { &selection, &rows, &session };
    TokensPage page { &selection, &rows, &keepSets };
    TokenCard* card = page.findChild<TokenCard*>();

    Page()
    {
        rows.setAnalysis(fixture::prose(3000));
        page.resize(760, 520);
        page.show();
        QApplication::processEvents();
    }
    TokenTextView* text() const { return page.view(0); }
    void point(std::int64_t token) const
    {
        QTest::mouseMove(text()->viewport(), text()->boxes(token).front().center().toPoint());
    }
    /// Whether a box of the token, as the view has it, lies under the card.
    bool hides(std::int64_t token) const
    {
        for (const QRectF& box : text()->boxes(token)) {
            const QRect onPage(
                text()->viewport()->mapTo(&page, box.toAlignedRect().topLeft()), box.toAlignedRect().size());
            if (card->isVisible() && card->geometry().intersects(onPage))
                return true;
        }
        return false;
    }
};

} // namespace

class TestTokenHover : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void white_space_of_a_token_can_be_seen()
    {
        QCOMPARE(formatTokenExactly(QStringLiteral(" in  a\n")), QStringLiteral("“␣in␣␣a↵”"));
        QCOMPARE(formatTokenExactly(QStringLiteral("\t ")), QStringLiteral("“⇥␣”"));
    }

    void a_card_has_a_place_that_hides_nothing_data()
    {
        QTest::addColumn<QSize>("room");
        QTest::newRow("large") << QSize(1400, 800);
        QTest::newRow("small") << QSize(480, 300);
        QTest::newRow("flat") << QSize(900, 170);
    }
    void a_card_has_a_place_that_hides_nothing()
    {
        QFETCH(QSize, room);
        const QRect all(QPoint(0, 0), room);
        const QSize card(200, 150);
        for (int y = 0; y + 20 <= room.height(); y += 7) {
            for (int x = 0; x + 60 <= room.width(); x += 11) {
                // On one line, and broken over two: its end stands at the left of the next.
                std::vector<QRect> token { QRect(x, y, 60, 20) };
                for (const bool broken : { false, true }) {
                    if (broken)
                        token.emplace_back(4, y + 24, 30, 20);
                    const QRect placed(placeOfCard(card, token, all), card);
                    QVERIFY(all.contains(placed));
                    const bool room2 = y + 44 + 4 + card.height() <= room.height() || y - 4 - card.height() >= 0;
                    const bool free = std::ranges::none_of(token, [&](QRect box) { return box.intersects(placed); });
                    QVERIFY2(free || (broken && !room2), qPrintable(QStringLiteral("%1, %2").arg(x).arg(y)));
                }
            }
        }
    }

    void the_pointer_is_told_what_stands_under_it()
    {
        const Page page;
        QVERIFY(!page.card->isVisible());
        page.point(17);
        QVERIFY(page.card->isVisible());
        const TokenFacts& facts = page.card->facts();
        QCOMPARE(facts.text, formatTokenExactly(QString::fromStdString(page.rows.analysis()->tokens[17].text)));
        QVERIFY(facts.lines.contains(QStringLiteral("position\t17")));
        QVERIFY(facts.lines.contains(QStringLiteral("importance\t") + formatSignificant(page.rows.row()->scores[17])));
        const auto rank = page.rows.explanation(0, 17)->rank;
        QVERIFY(facts.lines.contains(QStringLiteral("rank\t%1 of 3,000").arg(formatCount(rank))));
        QCOMPARE(facts.sides.size(), std::size_t { 2 });
        for (int side = 0; side < 2; ++side) {
            const TokenFacts::Side& told = facts.sides[static_cast<std::size_t>(side)];
            QCOMPARE(told.policy, QString::fromStdString(page.rows.selection(side)->title));
            QCOMPARE(told.label, page.rows.selection(side)->labels[17]);
        }
        QVERIFY(page.card->accessibleDescription().contains(QStringLiteral("position 17")));
        QTest::mouseMove(page.text()->viewport(), QPoint(page.text()->viewport()->width() - 1, 1));
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(page.text()->viewport(), &leave);
        QVERIFY(!page.card->isVisible());
    }

    void it_never_hides_the_token_and_lets_the_mouse_through()
    {
        const Page page;
        for (std::int64_t token = 0; page.text()->boxes(token).back().bottom() < page.text()->viewport()->height();
             ++token) {
            page.point(token);
            QVERIFY(page.card->isVisible());
            QVERIFY(!page.hides(token));
            QVERIFY(page.page.rect().contains(page.card->geometry()));
        }
        QVERIFY(page.card->testAttribute(Qt::WA_TransparentForMouseEvents));
    }

    void it_is_asked_for_by_key_and_goes_with_the_chosen_token()
    {
        Page page;
        page.selection.setToken(40);
        page.page.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&page.page));
        page.text()->setFocus();
        QTest::keyClick(page.text(), Qt::Key_Space);
        QVERIFY(page.card->isVisible());
        QVERIFY(page.card->facts().lines.contains(QStringLiteral("position\t40")));
        QTest::keyClick(page.text(), Qt::Key_End); // far, so that the text scrolls
        QTRY_VERIFY(page.card->facts().lines.contains(QStringLiteral("position\t2,999")));
        QTRY_VERIFY(page.card->isVisible());
        QVERIFY(!page.hides(2999));
        QTest::keyClick(page.text(), Qt::Key_Escape);
        QVERIFY(!page.card->isVisible());
        QTest::keyClick(page.text(), Qt::Key_Space);
        QVERIFY(page.card->isVisible());
        page.page.findChild<QAbstractButton*>(QStringLiteral("showDifference"))->setFocus();
        QVERIFY(!page.card->isVisible());
    }

    void a_text_that_scrolls_away_takes_it_along()
    {
        const Page page;
        page.point(17);
        QVERIFY(page.card->isVisible());
        page.text()->verticalScrollBar()->setValue(400);
        QTRY_VERIFY(!page.card->isVisible());
    }

    void it_looks_well_in_light_and_dark()
    {
        Page page;
        page.point(30);
        QVERIFY(page.card->isVisible());
        test::savePictures(page.page, "token-card");
    }
};

KEEPSET_TEST(TestTokenHover)
#include "tst_token_hover.moc"
