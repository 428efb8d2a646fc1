#include "core/marks.h"
#include "tests/support/test_main.h"
#include "tests/ui/analysis_fixture.h"
#include "tests/ui/plausible.h"
#include "tests/ui/window_fixture.h"
#include "ui/keep_set_state.h"
#include "ui/pages/pin_panel.h"
#include "ui/pages/tokens_page.h"
#include "ui/pin_book.h"
#include "ui/plot/keep_marks.h"
#include "ui/row_state.h"
#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QAction>
#include <QApplication>
#include <QImage>
#include <QListWidget>
#include <QPainter>
#include <QPicture>
#include <QPushButton>
#include <QSettings>
#include <QTest>
#include <QToolButton>

#include <algorithm>
#include <functional>

using namespace keepset;
using namespace keepset::ui;

namespace {

using Pins = std::vector<Pin>;

std::shared_ptr<const Analysis> textOf(const std::string& hash)
{
    auto analysis = std::make_shared<Analysis>(*fixture::prose(600));
    analysis->provenance.text_sha256 = hash;
    return analysis;
}

struct Page {
    SelectionState selection;
    RowState rows { &selection };
    Session session;
    KeepSetState keepSets { &selection, &rows, &session };
    TokensPage page { &selection, &rows, &keepSets };
    PinPanel* panel = page.findChild<PinPanel*>();

    explicit Page(const std::string& hash = "aa")
    {
        rows.setAnalysis(textOf(hash));
        page.resize(900, 560);
        page.show();
        QApplication::processEvents();
    }
    TokenTextView* text() const { return page.view(0); }
    const Pins& pins() const { return page.pins()->pins(); }
    QPoint placeOf(std::int64_t token) const { return text()->boxes(token).front().center().toPoint(); }
    void trigger(const char* action) const { page.findChild<QAction*>(QLatin1String(action))->trigger(); }
    void press(const char* button) const { panel->findChild<QPushButton*>(QLatin1String(button))->click(); }
    QListWidget* list() const { return panel->findChild<QListWidget*>(QStringLiteral("pinList")); }
    void drag(std::int64_t from, std::int64_t to) const
    {
        QTest::mousePress(text()->viewport(), Qt::LeftButton, {}, placeOf(from));
        QTest::mouseMove(text()->viewport(), placeOf((from + to) / 2));
        QTest::mouseMove(text()->viewport(), placeOf(to));
        QTest::mouseRelease(text()->viewport(), Qt::LeftButton, {}, placeOf(to));
    }
};

} // namespace

/// What a user marks in a text as what must stay or must go.
class TestMarks : public fixture::WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void tokens_are_chosen_by_dragging()
    {
        const Page page;
        page.drag(12, 17);
        page.trigger("markStay");
        QCOMPARE(page.pins(), (Pins { { 12, 18, true } }));
        page.drag(16, 14); // backwards
        page.trigger("markGo");
        QCOMPARE(page.pins(), (Pins { { 12, 14, true }, { 14, 17, false }, { 17, 18, true } }));
    }

    void tokens_are_chosen_by_keys()
    {
        Page page;
        page.selection.setToken(30);
        page.page.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&page.page));
        page.text()->setFocus();
        QTest::keyClick(page.text(), Qt::Key_K, Qt::ControlModifier); // the chosen token alone
        QCOMPARE(page.pins(), (Pins { { 30, 31, true } }));
        QTest::keyClick(page.text(), Qt::Key_Right);
        for (int i = 0; i < 3; ++i)
            QTest::keyClick(page.text(), Qt::Key_Right, Qt::ShiftModifier);
        QTest::keyClick(page.text(), Qt::Key_K, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(page.pins(), (Pins { { 30, 31, true }, { 31, 35, false } }));
        QTest::keyClick(page.text(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(page.pins(), (Pins { { 30, 31, true } }));
    }

    void escape_and_another_token_end_the_choice()
    {
        const Page page;
        page.drag(12, 17);
        QTest::keyClick(page.text(), Qt::Key_Escape);
        page.trigger("markStay");
        QCOMPARE(page.pins(), (Pins { { 12, 13, true } })); // where the drag began, which is chosen
        page.drag(20, 24);
        QTest::mouseClick(page.text()->viewport(), Qt::LeftButton, {}, page.placeOf(40));
        page.trigger("markStay");
        QCOMPARE(page.pins(), (Pins { { 12, 13, true }, { 40, 41, true } }));
    }

    void all_matches_of_a_search_are_marked_in_one_step()
    {
        Page page;
        const auto found = page.page.find(QStringLiteral("one the"), 0);
        QVERIFY(found.all > 2);
        page.press("pinMatchesGo");
        QCOMPARE(static_cast<std::int64_t>(page.pins().size()), found.all);
        for (const Pin& pin : page.pins()) {
            QVERIFY(!pin.stays);
            std::string text;
            for (auto token = pin.begin; token < pin.end; ++token)
                text += page.rows.analysis()->tokens[static_cast<std::size_t>(token)].text;
            QCOMPARE(QString::fromStdString(text).trimmed(), QStringLiteral("one the"));
        }
        page.press("pinUndo");
        QVERIFY(page.pins().empty());
    }

    void the_list_removes_undoes_and_clears()
    {
        const Page page;
        for (const std::int64_t from : { 10, 20, 30 }) {
            page.drag(from, from + 2);
            page.trigger("markStay");
        }
        QCOMPARE(page.list()->count(), 3);
        QVERIFY(page.list()->item(1)->text().contains(QStringLiteral("20 to 22")));
        page.list()->setCurrentRow(1);
        page.press("pinRemove");
        QCOMPARE(page.pins(), (Pins { { 10, 13, true }, { 30, 33, true } }));
        page.press("pinUndo");
        QCOMPARE(page.pins().size(), std::size_t { 3 });
        page.press("pinClear");
        QVERIFY(page.pins().empty() && page.list()->count() == 0);
        page.press("pinUndo");
        QCOMPARE(page.pins().size(), std::size_t { 3 });
    }

    void marks_are_kept_with_their_text()
    {
        {
            const Page page("first");
            page.drag(12, 17);
            page.trigger("markStay");
        }
        Page page("second");
        QVERIFY(page.pins().empty());
        page.rows.setAnalysis(textOf("first"));
        QCOMPARE(page.pins(), (Pins { { 12, 18, true } }));
        QVERIFY(!page.panel->findChild<QPushButton*>(QStringLiteral("pinUndo"))->isEnabled());
        page.press("pinClear");
        page.rows.setAnalysis(textOf("second"));
        page.rows.setAnalysis(textOf("first"));
        QVERIFY(page.pins().empty());
        QVERIFY(QSettings().allKeys().filter(QStringLiteral("marks/")).isEmpty());
    }

    void settings_that_make_no_sense_are_left_out()
    {
        QSettings().setValue(QStringLiteral("marks/x"), QStringLiteral("5-9,!20-21"));
        QCOMPARE(readMarks(QStringLiteral("x")), (std::vector<PinnedSpan> { { 5, 9, true }, { 20, 21, false } }));
        QSettings().setValue(QStringLiteral("marks/x"), QStringLiteral("of another version"));
        QVERIFY(readMarks(QStringLiteral("x")).empty());
    }

    void every_view_shows_them_and_not_by_colour_alone()
    {
        Page page;
        page.page.findChild<QToolButton*>(QStringLiteral("showDifference"))->setChecked(true);
        const std::vector<QWidget*> views { page.page.differenceView()->viewport(),
            page.page.findChild<QWidget*>(QStringLiteral("importanceStrip")) };
        page.selection.setToken(20); // elsewhere, and in sight with them
        const auto pictures = [&] {
            std::vector<QImage> images;
            for (QWidget* view : views)
                images.push_back(view->grab().toImage().convertToFormat(QImage::Format_Grayscale8));
            return images;
        };
        const auto none = pictures();
        page.page.pins()->mark({ { 4, 8, true } });
        const auto stays = pictures();
        page.page.pins()->mark({ { 4, 8, false } });
        const auto goes = pictures();
        for (std::size_t i = 0; i < views.size(); ++i)
            QVERIFY2(
                none[i] != stays[i] && stays[i] != goes[i] && none[i] != goes[i], views[i]->metaObject()->className());
        page.page.findChild<QToolButton*>(QStringLiteral("showDifference"))->setChecked(false);
    }

    void rows_of_bars_have_a_line_above_what_stays_and_through_what_goes()
    {
        const std::vector<Label> labels(100, Label::evicted);
        const auto painted = [&](const Pins& pins) {
            QImage image(100, 20, QImage::Format_RGB32);
            image.fill(Qt::white);
            QPainter painter(&image);
            plot::paintKeepMarks(painter, QRectF(0, 2, 100, 13), { labels, pins }, { 0, 100 }, false);
            return image;
        };
        const QImage none = painted({});
        const QImage marked = painted({ { 10, 20, true }, { 40, 50, false } });
        for (int y = 0; y < 20; ++y) {
            QCOMPARE(marked.pixel(15, y) != none.pixel(15, y), y == 2 || y == 3);
            QVERIFY(marked.pixel(45, y) == none.pixel(45, y) || (y >= 8 && y <= 10));
            QCOMPARE(marked.pixel(30, y), none.pixel(30, y));
        }
        QVERIFY(marked.pixel(45, 9) != none.pixel(45, 9));
    }

    /// On the screen bars are a picture, in SVG and PDF rectangles: both look the same, at every scale.
    void bars_on_the_screen_are_those_of_exports()
    {
        std::vector<Label> labels(3000);
        for (std::size_t i = 0; i < labels.size(); ++i) // every label, alone and mixed, few and many a pixel
            labels[i] = static_cast<Label>(i < 1000 ? i / 150 : (i * i / 700 + i) % label_count);
        for (const bool dark : { false, true }) {
            for (const int scale : { 1, 2 }) {
                for (const auto& range : { std::pair(0.0, 3000.0), std::pair(120.5, 181.0) }) {
                    const auto painted = [&](const std::function<void(QPainter&)>& paint) {
                        QImage image(QSize(220, 20) * scale, QImage::Format_RGB32);
                        image.setDevicePixelRatio(scale);
                        image.fill(theme(dark).panel);
                        QPainter painter(&image);
                        paint(painter);
                        return image;
                    };
                    const auto paint = [&](QPainter& painter) {
                        plot::paintKeepMarks(painter, QRectF(10, 3, 200, 13), { labels, {} }, range, dark);
                    };
                    QPicture recorded;
                    QPainter recorder(&recorded);
                    paint(recorder);
                    recorder.end();
                    const QImage screen = painted(paint);
                    const QImage exported = painted([&](QPainter& painter) { painter.drawPicture(0, 0, recorded); });
                    int most = 0;
                    for (int y = 0; y < screen.height(); ++y) {
                        for (int x = 0; x < screen.width(); ++x) {
                            const QColor a = screen.pixelColor(x, y);
                            const QColor b = exported.pixelColor(x, y);
                            most = std::max({ most, std::abs(a.red() - b.red()), std::abs(a.green() - b.green()),
                                std::abs(a.blue() - b.blue()) });
                        }
                    }
                    // Where two labels share a pixel, rectangles let the ground shine through: a (1 - a) of it, at most
                    // a quarter.
                    QVERIFY2(most <= 64, qPrintable(QString::number(most)));
                }
            }
        }
    }

    void they_look_well_in_light_and_dark()
    {
        Page page;
        page.drag(12, 17);
        page.trigger("markStay");
        page.drag(40, 46);
        page.trigger("markGo");
        page.page.find(QStringLiteral("one the"), 60);
        page.drag(70, 75);
        test::savePictures(page.page, "marks");
        page.page.findChild<QToolButton*>(QStringLiteral("showMarks"))->click();
        test::savePictures(*page.panel, "mark-list");
        page.panel->hide();
    }
};

KEEPSET_TEST(TestMarks)
#include "tst_marks.moc"
