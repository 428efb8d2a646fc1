#include "tests/support/test_main.h"
#include "ui/heatmap_geometry.h"
#include "ui/plot/heatmap.h"

#include <QElapsedTimer>
#include <QtTest>

#include <algorithm>
#include <numeric>
#include <random>

using namespace keepset;
using namespace keepset::ui;

namespace {

std::vector<float> noise(MapSize size)
{
    std::mt19937 generator(7);
    std::exponential_distribution<float> distribution(1);
    std::vector<float> values(static_cast<std::size_t>(size.rows * size.columns));
    std::ranges::generate(values, [&] { return distribution(generator); });
    return values;
}

} // namespace

class TestHeatmapGeometry : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_cell_belongs_to_exactly_one_pixel_when_zoomed_out();
    void every_cell_belongs_to_exactly_one_pixel_when_zoomed_out_data();
    void zoomed_in_a_pixel_shows_the_cell_under_its_centre();
    void reduced_values_equal_a_plain_loop();
    void reduced_values_equal_a_plain_loop_data();
    void a_lone_peak_is_seen_from_any_distance();
    void the_pyramid_holds_less_than_the_data();
    void zooming_keeps_the_cell_under_the_pointer();
    void a_view_is_moved_back_inside_the_map();
    void a_rubber_band_shows_what_was_inside_it();
    void cells_are_found_only_inside_the_map();
    void ticks_are_cells_with_room_between_them();
    void a_map_of_131072_tokens_pans_quickly();
};

void TestHeatmapGeometry::every_cell_belongs_to_exactly_one_pixel_when_zoomed_out_data()
{
    QTest::addColumn<double>("begin");
    QTest::addColumn<double>("end");
    QTest::addColumn<int>("pixels");
    QTest::newRow("whole") << 0.0 << 1024.0 << 731;
    QTest::newRow("ragged") << 0.0 << 131071.0 << 997;
    QTest::newRow("panned") << 100.37 << 9000.91 << 512;
    QTest::newRow("one to one") << 0.0 << 640.0 << 640;
}

void TestHeatmapGeometry::every_cell_belongs_to_exactly_one_pixel_when_zoomed_out()
{
    QFETCH(double, begin);
    QFETCH(double, end);
    QFETCH(int, pixels);
    std::int64_t expected = cellsOfPixel(begin, end, pixels, 0).begin;
    for (int i = 0; i < pixels; ++i) {
        const CellRange cells = cellsOfPixel(begin, end, pixels, i);
        QCOMPARE(cells.begin, expected);
        QVERIFY(cells.end > cells.begin);
        expected = cells.end;
    }
}

void TestHeatmapGeometry::zoomed_in_a_pixel_shows_the_cell_under_its_centre()
{
    QCOMPARE(cellsOfPixel(10, 12, 200, 99), (CellRange { 10, 11 }));
    QCOMPARE(cellsOfPixel(10, 12, 200, 100), (CellRange { 11, 12 }));
}

void TestHeatmapGeometry::reduced_values_equal_a_plain_loop_data()
{
    QTest::addColumn<int>("columns");
    for (const int columns : { 1, 3, 4, 5, 64, 1000, 1024, 4099 })
        QTest::newRow(qPrintable(QString::number(columns))) << columns;
}

void TestHeatmapGeometry::reduced_values_equal_a_plain_loop()
{
    QFETCH(int, columns);
    const MapSize size { 5, columns };
    const auto values = noise(size);
    const MapPyramid pyramid(values, size);
    std::mt19937 generator(3);
    for (int round = 0; round < 300; ++round) {
        const auto a = static_cast<std::int64_t>(generator() % static_cast<unsigned>(columns));
        const auto b = static_cast<std::int64_t>(generator() % static_cast<unsigned>(columns));
        const CellRange cells { std::min(a, b), std::max(a, b) + 1 };
        const CellRange rows { static_cast<std::int64_t>(generator() % 3),
            3 + static_cast<std::int64_t>(generator() % 3) };
        double largest = 0;
        double sum = 0;
        for (std::int64_t row = rows.begin; row < rows.end; ++row) {
            for (std::int64_t column = cells.begin; column < cells.end; ++column) {
                const auto value = static_cast<double>(values[static_cast<std::size_t>(row * columns + column)]);
                largest = std::max(largest, value);
                sum += value;
            }
        }
        const double mean = sum / static_cast<double>((rows.end - rows.begin) * (cells.end - cells.begin));
        QCOMPARE(pyramid.reduced(rows, cells, Reduction::max), largest);
        // means of blocks are rounded to float once a level: at most log4(columns) roundings
        QVERIFY(std::abs(pyramid.reduced(rows, cells, Reduction::mean) / mean - 1) < 7 * 6e-8);
    }
    QVERIFY(std::isnan(pyramid.reduced({ 9, 12 }, { 0, 1 }, Reduction::max)));
}

void TestHeatmapGeometry::a_lone_peak_is_seen_from_any_distance()
{
    const MapSize size { 2, 100000 };
    std::vector<float> values(200000, 0.5F);
    values[100000 + 77777] = 9;
    const MapPyramid pyramid(values, size);
    for (const int width : { 3, 100, 1500 }) {
        const QImage image
            = plot::renderMap(pyramid, wholeMap(size), { width, 4 }, ValueScale::linear(0, 9), Reduction::max);
        int bright = 0;
        for (int x = 0; x < width; ++x)
            bright += image.pixel(x, 3) == viridis(1) ? 1 : 0;
        QCOMPARE(bright, 1);
        QCOMPARE(image.pixel(width / 2, 0), viridis(0.5 / 9));
    }
}

void TestHeatmapGeometry::the_pyramid_holds_less_than_the_data()
{
    const MapSize size { 32, 131072 };
    const auto values = noise(size);
    const MapPyramid pyramid(values, size);
    QVERIFY(pyramid.extraBytes() < values.size() * sizeof(float) * 7 / 10);
}

void TestHeatmapGeometry::zooming_keeps_the_cell_under_the_pointer()
{
    const QRectF area(40, 10, 800, 320);
    const MapView view { 100, 900, 0, 32 };
    const QPointF pointer(300, 100);
    const QPointF before = cellPointAt(view, area, pointer);
    const MapView closer = zoomed(view, 0.25, before, true);
    QVERIFY(QPointF(cellPointAt(closer, area, pointer) - before).manhattanLength() < 1e-9);
    QCOMPARE(closer.columns(), 200.0);
    QCOMPARE(pixelOf(closer, area, before), pointer);
}

void TestHeatmapGeometry::a_view_is_moved_back_inside_the_map()
{
    const MapSize size { 30, 1024 };
    QCOMPARE(clamped({ -50, 150, 0, 30 }, size), (MapView { 0, 200, 0, 30 }));
    QCOMPARE(clamped({ -500, 5000, -3, 99 }, size), wholeMap(size));
    QCOMPARE(clamped({ 500, 500.1, 3, 4 }, size).columns(), 8.0);
    QCOMPARE(clamped({ 0, 8, 0, 1 }, { 1, 3 }), (MapView { 0, 3, 0, 1 }));
    const MapView moved = panned({ 100, 200, 0, 30 }, { 80, 0 }, { 800, 300 });
    QCOMPARE(moved.columnBegin, 90.0);
}

void TestHeatmapGeometry::a_rubber_band_shows_what_was_inside_it()
{
    const QRectF area(0, 0, 1000, 300);
    const MapView view { 0, 2000, 0, 30 };
    QCOMPARE(selected(view, QRectF(QPointF(600, 200), QPointF(100, 50)), area), (MapView { 200, 1200, 5, 20 }));
}

void TestHeatmapGeometry::cells_are_found_only_inside_the_map()
{
    const QRectF area(40, 10, 100, 30);
    const MapSize size { 3, 10 };
    QCOMPARE(cellAt(wholeMap(size), size, area, { 45, 15 }).value(), (MapCell { 0, 0 }));
    QCOMPARE(cellAt(wholeMap(size), size, area, { 139, 39 }).value(), (MapCell { 2, 9 }));
    QVERIFY(!cellAt(wholeMap(size), size, area, { 39, 15 }));
    QVERIFY(!cellAt(wholeMap({}), {}, area, { 45, 15 }));
}

void TestHeatmapGeometry::ticks_are_cells_with_room_between_them()
{
    QCOMPARE(cellTicks(0, 1024, 8, false), (std::vector<std::int64_t> { 0, 128, 256, 384, 512, 640, 768, 896, 1023 }));
    QCOMPARE(cellTicks(0, 30, 4, true), (std::vector<std::int64_t> { 0, 10, 20, 29 }));
    QCOMPARE(cellTicks(0, 1, 4, true), (std::vector<std::int64_t> { 0 }));
    QVERIFY(cellTicks(70000.5, 131072, 9, false).size() <= 11);
}

void TestHeatmapGeometry::a_map_of_131072_tokens_pans_quickly()
{
    const MapSize size { 32, 131072 };
    const auto values = noise(size);
    const MapPyramid pyramid(values, size);
    const ValueScale scale = ValueScale::fitted(ValueScaleKind::log, values);
    MapView view = wholeMap(size);
    QElapsedTimer timer;
    std::vector<qint64> times;
    for (int frame = 0; frame < 40; ++frame) {
        view = clamped(zoomed(view, frame % 2 ? 0.85 : 0.97, { 50000.0 + 137 * frame, 12 }, false), size);
        timer.start();
        const QImage image
            = plot::renderMap(pyramid, view, { 1200, 440 }, scale, frame % 3 ? Reduction::max : Reduction::mean);
        times.push_back(timer.nsecsElapsed());
        QCOMPARE(image.size(), QSize(1200, 440));
    }
    std::ranges::sort(times);
    qInfo("32 x 131072 cells on 1200 x 440 pixels: median frame %.2f ms, worst %.2f ms",
        static_cast<double>(times[times.size() / 2]) * 1e-6, static_cast<double>(times.back()) * 1e-6);
}

KEEPSET_TEST(TestHeatmapGeometry)
#include "tst_heatmap_geometry.moc"
