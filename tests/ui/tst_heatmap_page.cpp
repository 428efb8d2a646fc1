#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/pages/heatmap_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

class TestHeatmapPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }
    void maps_show_the_numbers_of_core();
    void maps_follow_the_importance_mode();
    void a_click_chooses_token_and_layer();
    void a_chosen_layer_loads_its_heads();
    void both_maps_look_at_the_same_tokens();
    void zoom_has_a_history();
    void tokens_are_named_closer_in();
    void hover_and_keyboard_tell_layer_token_and_value();
    void a_newer_analysis_replaces_one_that_still_loads();
    void every_format_is_exported();
    void painting_is_quick();
    void pictures();

private:
    void show(HeatmapPage& page, const std::shared_ptr<const Analysis>& analysis);
};

void TestHeatmapPage::show(HeatmapPage& page, const std::shared_ptr<const Analysis>& analysis)
{
    page.resize(892, 760);
    QSignalSpy ready(&page, &HeatmapPage::mapsReady);
    page.setAnalysis(analysis);
    QVERIFY(ready.count() > 0 || ready.wait());
    page.grab(); // lays out
}

void TestHeatmapPage::maps_show_the_numbers_of_core()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    const auto analysis = test::plausibleAnalysis(4, 3, 200);
    show(page, analysis);
    const auto* layers = page.findChild<plot::HeatmapWidget*>("layerMap");
    const auto* heads = page.findChild<plot::HeatmapWidget*>("headMap");
    QCOMPARE(layers->heatmap().size(), (MapSize { 4, 200 }));
    QCOMPARE(heads->heatmap().size(), (MapSize { 3, 200 }));
    const RowScores row = row_scores(*analysis, { 3, -1 }, Importance::cumulative, GqaReduction::mean);
    QCOMPARE(layers->heatmap().values->pyramid.at({ 3, 17 }), static_cast<float>(row.mass[17]));
    const auto index = static_cast<std::size_t>((page.layer() * 3 + 2) * 200 + 17);
    QCOMPARE(heads->heatmap().values->pyramid.at({ 2, 17 }), analysis->importance[index]);
}

void TestHeatmapPage::maps_follow_the_importance_mode()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    const auto analysis = test::plausibleAnalysis(4, 3, 200);
    show(page, analysis);
    QSignalSpy ready(&page, &HeatmapPage::mapsReady);
    selection.setImportance(Importance::mean_received);
    QVERIFY(ready.wait());
    const auto* layers = page.findChild<plot::HeatmapWidget*>("layerMap");
    const auto* heads = page.findChild<plot::HeatmapWidget*>("headMap");
    const RowScores row = row_scores(*analysis, { 3, -1 }, Importance::mean_received, GqaReduction::mean);
    QCOMPARE(layers->heatmap().values->pyramid.at({ 3, 17 }), row.scores[17]);
    const auto index = static_cast<std::size_t>((page.layer() * 3 + 2) * 200 + 17);
    QCOMPARE(heads->heatmap().values->pyramid.at({ 2, 17 }), analysis->importance[index] / 183);
    QVERIFY(layers->heatmap().valueTitle.contains("mean received"));
    selection.setImportance(Importance::cumulative);
    QVERIFY(ready.wait());
    QCOMPARE(heads->heatmap().values->pyramid.at({ 2, 17 }), analysis->importance[index]);
}

void TestHeatmapPage::a_click_chooses_token_and_layer()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(6, 9, 300));
    auto* layers = page.findChild<plot::HeatmapWidget*>("layerMap");
    Q_EMIT layers->cellClicked(5, 120);
    QCOMPARE(selection.token(), 120);
    QCOMPARE(selection.scope(), (Scope { 5, -1 }));
    QCOMPARE(layers->heatmap().chosenColumn.value(), 120);
    QTRY_COMPARE(page.layer(), 5); // the page is not seen: it follows a little later
    QTRY_VERIFY(!page.isLoading());
    Q_EMIT page.findChild<plot::HeatmapWidget*>("headMap")->cellClicked(7, 11);
    QCOMPARE(selection.scope(), (Scope { 5, 2 })); // query head 7 reads kv head 2 of 3
    QCOMPARE(selection.token(), 11);
}

void TestHeatmapPage::a_chosen_layer_loads_its_heads()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    const auto analysis = test::plausibleAnalysis(6, 3, 100);
    show(page, analysis);
    QSignalSpy ready(&page, &HeatmapPage::mapsReady);
    selection.setScope({ 1, -1 });
    QVERIFY(ready.wait());
    const auto* heads = page.findChild<plot::HeatmapWidget*>("headMap");
    QVERIFY(heads->heatmap().title.contains("layer 1"));
    QCOMPARE(heads->heatmap().values->pyramid.at({ 0, 5 }), analysis->importance[1 * 3 * 100 + 5]);
}

void TestHeatmapPage::both_maps_look_at_the_same_tokens()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(4, 3, 1000));
    auto* layers = page.findChild<plot::HeatmapWidget*>("layerMap");
    auto* heads = page.findChild<plot::HeatmapWidget*>("headMap");
    layers->setView({ 100, 300, 0, 4 });
    QCOMPARE(heads->view(), (MapView { 100, 300, 0, 3 }));
    heads->resetZoom();
    QCOMPARE(layers->view(), (MapView { 0, 1000, 0, 4 }));
}

void TestHeatmapPage::zoom_has_a_history()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(4, 3, 1000));
    auto* map = page.findChild<plot::HeatmapWidget*>("layerMap");
    const MapView whole = map->view();
    const QPoint from(map->width() / 4, map->height() / 4);
    const QPoint to(map->width() / 2, map->height() / 2);
    QTest::mousePress(map, Qt::LeftButton, {}, from);
    QTest::mouseMove(map, to);
    QTest::mouseRelease(map, Qt::LeftButton, {}, to);
    const MapView zoomed = map->view();
    QVERIFY(zoomed.columns() < whole.columns() / 2 && zoomed.rows() < whole.rows());
    QTest::keyClick(map, Qt::Key_Plus);
    QVERIFY(map->view().columns() < zoomed.columns());
    QTest::keyClick(map, Qt::Key_Backspace);
    QCOMPARE(map->view(), zoomed);
    QTest::mouseClick(map, Qt::RightButton, {}, from);
    QCOMPARE(map->view(), whole);
}

void TestHeatmapPage::tokens_are_named_closer_in()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(12, 3, 1000));
    auto* map = page.findChild<plot::HeatmapWidget*>("layerMap");
    const auto layout = [map] {
        return plot::layoutHeatmap(
            map->heatmap(), map->view(), plot::styleFor(map->palette()), QRectF(map->rect()).adjusted(0, 0, 0, -2));
    };
    QVERIFY(!layout().named);
    map->setView({ 100, 130, 0, 12 });
    QVERIFY(layout().named);
    const QImage named = map->grab().toImage();
    plot::Heatmap without = map->heatmap();
    QCOMPARE(without.name(101), QStringLiteral("“\u21b5”")); // a line break
    without.name = {};
    map->setHeatmap(std::move(without));
    QVERIFY(map->grab().toImage() != named);
}

void TestHeatmapPage::hover_and_keyboard_tell_layer_token_and_value()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(4, 3, 1000));
    auto* map = page.findChild<plot::HeatmapWidget*>("layerMap");
    QSignalSpy spy(&page, &HeatmapPage::hovered);
    QTest::keyClick(map, Qt::Key_Right);
    QTest::keyClick(map, Qt::Key_Down);
    const QString words = spy.last()[0].toString();
    QVERIFY2(words.contains("token 1 ") && words.contains("layer 1") && words.contains("one"), qPrintable(words));
    const QImage told = map->grab().toImage();
    map->setReadout(std::nullopt);
    QVERIFY(map->grab().toImage() != told); // it stands beside the cursor
    QTest::keyClick(map, Qt::Key_Return);
    QCOMPARE(selection.token(), 1);
}

void TestHeatmapPage::a_newer_analysis_replaces_one_that_still_loads()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    page.setAnalysis(test::plausibleAnalysis(8, 6, 3000));
    page.setAnalysis(test::plausibleAnalysis(2, 3, 64));
    auto* map = page.findChild<plot::HeatmapWidget*>("layerMap");
    QTRY_COMPARE(map->heatmap().size(), (MapSize { 2, 64 }));
    page.setAnalysis(nullptr);
    QTRY_VERIFY(!page.isLoading());
    QCOMPARE(map->heatmap().size(), MapSize {});
}

void TestHeatmapPage::every_format_is_exported()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    show(page, test::plausibleAnalysis(4, 3, 200));
    const QTemporaryDir folder;
    for (const char* suffix : { "png", "svg", "pdf", "csv" }) {
        QVERIFY(!exportChart(*page.exportables()[0], folder.filePath(QString("map.") + suffix)));
        QVERIFY(!exportChart(*page.exportables()[1], folder.filePath(QString("heads.") + suffix)));
    }
    QFile csv(folder.filePath("map.csv"));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QList<QByteArray> lines = csv.readAll().trimmed().split('\n');
    QCOMPARE(lines.size(), 1 + 4 * 200);
    QCOMPARE(lines[0], QByteArray("layer,position_begin,position_end,cumulative importance\r"));
}

void TestHeatmapPage::painting_is_quick()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    const auto analysis = test::plausibleAnalysis(32, 1, 131072);
    show(page, analysis);
    auto* map = page.findChild<plot::HeatmapWidget*>("layerMap");
    QImage canvas(map->size(), QImage::Format_RGB32);
    std::vector<qint64> times;
    for (int frame = 0; frame < 30; ++frame) {
        map->setView({ 1000.0 * frame, 60000.0 + 1000 * frame, 0, 32 });
        QElapsedTimer timer;
        timer.start();
        map->render(&canvas);
        times.push_back(timer.nsecsElapsed());
    }
    std::ranges::sort(times);
    qInfo("32 x 131072 map in a widget of %d x %d: median frame %.2f ms, worst %.2f ms", map->width(), map->height(),
        static_cast<double>(times[15]) * 1e-6, static_cast<double>(times.back()) * 1e-6);
    const auto& values = *map->heatmap().values;
    const std::size_t bytes = values.values.size_bytes();
    QVERIFY(values.own.capacity() * sizeof(float) + values.pyramid.extraBytes()
            + static_cast<std::size_t>(canvas.sizeInBytes())
        <= 2 * bytes);
}

void TestHeatmapPage::pictures()
{
    SelectionState selection;
    HeatmapPage page(&selection);
    page.resize(892, 760);
    test::savePictures(page, "heatmap-empty");
    const auto analysis = test::plausibleAnalysis(30, 9, 1024);
    show(page, analysis);
    selection.setScope({ 18, -1 });
    QTRY_VERIFY(!page.isLoading());
    const RowScores row = row_scores(*analysis, { 18, -1 }, Importance::cumulative, GqaReduction::mean);
    page.setSelections(select_row(row, selection.request(0)), select_row(row, selection.request(1)));
    selection.setToken(412);
    test::savePictures(page, "heatmap-done");
    page.findChild<QComboBox*>("heatmapScale")->setCurrentIndex(2);
    page.findChild<plot::HeatmapWidget*>("layerMap")->setView({ 380, 460, 10, 24 });
    test::savePictures(page, "heatmap-zoomed");
    const QString folder = QCoreApplication::applicationDirPath() + "/../pictures/";
    for (const char* suffix : { "png", "svg", "pdf" })
        QVERIFY(!exportChart(*page.exportables()[0], folder + "export-heatmap." + suffix));
}

KEEPSET_TEST(TestHeatmapPage)
#include "tst_heatmap_page.moc"
