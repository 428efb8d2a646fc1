#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/importance_strip.h"
#include "ui/pages/heatmap_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/range_state.h"
#include "ui/selection_state.h"
#include "ui/theme.h"
#include "ui/widgets/range_control.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

plot::HeatmapWidget* mapOf(const HeatmapPage& page, const char* name)
{
    return page.findChild<plot::HeatmapWidget*>(QLatin1String(name));
}

void show(HeatmapPage& page, const std::shared_ptr<const Analysis>& analysis)
{
    page.resize(892, 760);
    QSignalSpy ready(&page, &HeatmapPage::mapsReady);
    page.setAnalysis(analysis);
    QVERIFY(ready.count() > 0 || ready.wait());
    page.grab(); // lays out
}

} // namespace

/// The range of colours and heights, fitted or locked.
class TestRange : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void only_a_range_can_be_locked()
    {
        RangeState range;
        QSignalSpy changed(&range, &RangeState::changed);
        const double nan = std::numeric_limits<double>::quiet_NaN();
        const double infinity = std::numeric_limits<double>::infinity();
        for (const ValueRange bad :
            { ValueRange { 2, 1 }, { 1, 1 }, { -1, 1 }, { nan, 1 }, { 0, nan }, { 0, infinity } })
            range.lock(bad);
        QVERIFY(!range.locked() && changed.isEmpty());
        range.lock({ 0, 5 });
        range.lock({ 0, 5 });
        QCOMPARE(changed.size(), 1);
        QVERIFY(!range.lockedFor(ValueScaleKind::percentile));
        range.unlock();
        range.unlock();
        QCOMPARE(changed.size(), 2);
    }

    void a_held_scale_ends_where_it_is_told()
    {
        for (const ValueScaleKind kind : { ValueScaleKind::log, ValueScaleKind::linear }) {
            const ValueScale scale = ValueScale::held(kind, { 0.5, 50 });
            QCOMPARE(scale.position(0.5), 0.0);
            QCOMPARE(scale.position(50), 1.0);
            QCOMPARE(scale.position(0.1), 0.0);
            QCOMPARE(scale.position(1000), 1.0);
        }
        QCOMPARE(ValueScale::held(ValueScaleKind::log, { 0, 50 }).low(), 50e-6);
        const std::vector<float> values { 0, 0.5F, 1, 2, 3, std::numeric_limits<float>::quiet_NaN() };
        const Beyond beyond = beyondOf(values, { 0.5, 2 });
        QCOMPARE(beyond.below, 1);
        QCOMPARE(beyond.above, 1);
    }

    void a_tick_locks_what_is_shown_and_holds_it_for_every_layer_mode_scale_and_file()
    {
        SelectionState selection;
        HeatmapPage page(&selection);
        show(page, test::plausibleAnalysis(6, 3, 300));
        auto* control = page.findChild<RangeControl*>();
        auto* lock = control->findChild<QCheckBox*>(QStringLiteral("rangeLock"));
        const ValueScale before = mapOf(page, "layerMap")->heatmap().scale;
        lock->click();
        QCOMPARE(selection.range()->locked(), (ValueRange { before.low(), before.high() }));
        const auto held = [&] {
            return std::ranges::all_of(std::array { "layerMap", "headMap" }, [&](const char* name) {
                const plot::Heatmap& map = mapOf(page, name)->heatmap();
                return map.scale.low() == before.low() && map.scale.high() == before.high()
                    && map.valueTitle.contains(QStringLiteral("locked"))
                    && map.subtitle.contains(QStringLiteral("locked"));
            });
        };
        QVERIFY(held());
        QSignalSpy ready(&page, &HeatmapPage::mapsReady);
        selection.setScope({ 1, -1 });
        QVERIFY(ready.wait());
        QVERIFY(held());
        selection.setImportance(Importance::mean_received); // far smaller numbers
        QVERIFY(ready.wait());
        QVERIFY(held());
        QVERIFY(mapOf(page, "layerMap")->heatmap().subtitle.contains(QStringLiteral("below it")));
        page.findChild<QComboBox*>(QStringLiteral("heatmapScale"))->setCurrentIndex(1);
        QVERIFY(held());
        show(page, test::plausibleAnalysis(2, 3, 5000)); // another text: its sink is 25 times as high
        QVERIFY(held());
        lock->click(); // and back by one click
        QVERIFY(!selection.range()->locked());
        QVERIFY(!mapOf(page, "layerMap")->heatmap().valueTitle.contains(QStringLiteral("locked")));
        QVERIFY(mapOf(page, "layerMap")->heatmap().scale.high() != before.high());
    }

    void percentiles_are_not_locked()
    {
        SelectionState selection;
        HeatmapPage page(&selection);
        show(page, test::plausibleAnalysis(3, 3, 100));
        selection.range()->lock({ 1, 2 });
        page.findChild<QComboBox*>(QStringLiteral("heatmapScale"))->setCurrentIndex(2);
        QVERIFY(!page.findChild<RangeControl*>()->isEnabled());
        QCOMPARE(mapOf(page, "layerMap")->heatmap().scale.kind(), ValueScaleKind::percentile);
        QVERIFY(!mapOf(page, "layerMap")->heatmap().subtitle.contains(QStringLiteral("locked")));
    }

    /// A locked range that everything fits into has no points at its ends; one that cuts has.
    void the_colour_bar_shows_that_cells_lie_beyond()
    {
        SelectionState selection;
        HeatmapPage page(&selection);
        show(page, test::plausibleAnalysis(5, 3, 300));
        auto* map = mapOf(page, "layerMap");
        const auto colourAboveBar = [&] {
            const plot::HeatmapLayout layout = plot::layoutHeatmap(
                map->heatmap(), map->view(), plot::styleFor(map->palette()), QRectF(map->rect()).adjusted(0, 0, 0, -2));
            const QPointF place = QPointF(layout.colorBar.center().x(), layout.colorBar.top() - 2);
            return map->grab().toImage().pixelColor(place.toPoint());
        };
        selection.range()->lock({ 0, 1000 });
        QCOMPARE(map->heatmap().beyond.above, 0);
        const QColor ground = colourAboveBar();
        selection.range()->lock({ 0.5, 2 });
        QVERIFY(map->heatmap().beyond.above > 0 && map->heatmap().beyond.below > 0);
        QVERIFY(colourAboveBar() != ground);
        QVERIFY2(map->heatmap().subtitle.contains(QStringLiteral("0.500 … 2.00")), qPrintable(map->heatmap().subtitle));
    }

    void both_ends_are_typed_and_nonsense_goes_back()
    {
        SelectionState selection;
        RangeControl control(selection.range());
        control.show();
        auto* low = control.findChild<QLineEdit*>(QStringLiteral("rangeLow"));
        auto* high = control.findChild<QLineEdit*>(QStringLiteral("rangeHigh"));
        QVERIFY(!low->isVisible());
        selection.range()->lock({ 1.0 / 3, 20 });
        QVERIFY(low->isVisible() && high->isVisible());
        high->setFocus();
        high->selectAll();
        QTest::keyClicks(high, QStringLiteral("7.5"));
        QTest::keyClick(high, Qt::Key_Return);
        QCOMPARE(selection.range()->locked(), (ValueRange { 1.0 / 3, 7.5 })); // no digit of the other end is lost
        low->setFocus();
        low->selectAll();
        QTest::keyClicks(low, QStringLiteral("9"));
        QTest::keyClick(low, Qt::Key_Return);
        QCOMPARE(selection.range()->locked(), (ValueRange { 1.0 / 3, 7.5 }));
        QCOMPARE(low->text(), QStringLiteral("0.3333"));
    }

    void the_strip_holds_its_heights_and_marks_what_lies_beyond()
    {
        ImportanceStrip strip;
        strip.resize(600, 160);
        strip.setScores({ 0.01F, 0.5F, 1, 2, 30, 0.5F, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 });
        strip.grab(); // lays out
        strip.setLocked(ValueRange { 0.1, 10 });
        QCOMPARE(strip.beyond().above, 1);
        QCOMPARE(strip.beyond().below, 1);
        QVERIFY(std::abs(strip.heights().low - 0.1) < 1e-9 && std::abs(strip.heights().high - 10) < 1e-9);
        QVERIFY(strip.exportSubtitle().contains(QStringLiteral("locked")));
        const auto marked = [&](int token) {
            const QRectF plot = strip.chart()->plotArea();
            const QImage image = strip.grab().toImage();
            const QColor wanted = theme(false).fail;
            for (int y = 0; y < static_cast<int>(plot.top()); ++y) {
                for (int x = -1; x <= 1; ++x) {
                    const QColor color = image.pixelColor(static_cast<int>(strip.xOf(token + 0.5)) + x, y);
                    if (std::abs(color.red() - wanted.red()) < 40 && std::abs(color.green() - wanted.green()) < 60)
                        return true;
                }
            }
            return false;
        };
        QVERIFY(marked(4));
        QVERIFY(!marked(10));
        strip.setScores({ 1, 2, 3 }); // another layer
        QVERIFY(std::abs(strip.heights().high - 10) < 1e-9);
        strip.setLocked(std::nullopt);
        QVERIFY(strip.heights().high < 5);
    }
};

KEEPSET_TEST(TestRange)
#include "tst_range.moc"
