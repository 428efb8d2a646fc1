#include "tests/support/test_main.h"
#include "ui/plot/attention_tiles.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QtTest>

#include <cmath>
#include <limits>

using namespace keepset;
using namespace keepset::ui;

namespace {

/// A map with values that are all different; what causality hides is hidden.
std::shared_ptr<const AttentionMap> made(AttentionMapRequest request)
{
    auto map = std::make_shared<AttentionMap>();
    request.most_rows = std::min(request.most_rows, request.query_end - request.query_begin);
    request.most_columns = std::min(request.most_columns, request.key_end - request.key_begin);
    map->request = request;
    map->rows = request.most_rows;
    map->columns = request.most_columns;
    map->cells.assign(static_cast<std::size_t>(map->rows * map->columns), -1.0F);
    QRandomGenerator random(static_cast<quint32>(request.query_begin * 7 + request.key_begin + map->rows));
    for (std::int64_t q = request.query_begin; q < request.query_end;
         q = cell_at(*map, q, request.key_begin)->query_end) {
        for (std::int64_t k = request.key_begin; k < request.key_end; k = cell_at(*map, q, k)->key_end) {
            const auto cell = cell_at(*map, q, k);
            if (cell->key_begin <= cell->query_end - 1)
                map->cells[static_cast<std::size_t>(cell->row * map->columns + cell->column)]
                    = static_cast<float>(random.generateDouble());
        }
    }
    return map;
}

} // namespace

class TestAttentionTiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_request_has_whole_cells_of_one_size_and_at_least_one_a_pixel()
    {
        QRandomGenerator random(QRandomGenerator::global()->generate());
        for (int trial = 0; trial < 3000; ++trial) {
            const std::int64_t context = 1 + random.bounded(trial % 3 ? 5000 : 40);
            MapView view = clamped({ random.bounded(1.0) * 9000 - 100, random.bounded(1.0) * 9000,
                                       random.bounded(1.0) * 9000 - 100, random.bounded(1.0) * 9000 },
                { context, context }, 8);
            const QSize pixels(1 + random.bounded(900), 1 + random.bounded(700));
            const AttentionMapRequest request = plot::requestFor(view, context, pixels, { 3, 2 });
            QCOMPARE(request.layer, 3);
            QVERIFY(request.query_begin >= 0 && static_cast<double>(request.query_begin) <= view.rowBegin);
            QVERIFY(request.query_end <= context && static_cast<double>(request.query_end) >= view.rowEnd);
            QVERIFY(request.key_begin >= 0 && static_cast<double>(request.key_begin) <= view.columnBegin);
            QVERIFY(request.key_end <= context && static_cast<double>(request.key_end) >= view.columnEnd);
            const std::int64_t rows = static_cast<std::int64_t>(std::ceil(view.rowEnd) - std::floor(view.rowBegin));
            const std::int64_t size = std::max<std::int64_t>(1, rows / pixels.height());
            QVERIFY(request.most_rows >= std::min<std::int64_t>(pixels.height(), rows));
            QVERIFY(request.most_rows <= 2 * pixels.height() + 2);
            QCOMPARE(request.most_rows, (request.query_end - request.query_begin + size - 1) / size);
            QVERIFY(request.query_begin % size == 0);
            QVERIFY(request.query_end % size == 0 || request.query_end == context);
        }
    }

    void a_map_serves_what_it_covers_no_coarser()
    {
        const auto map = made({ 1, 1, 0, 400, 0, 400, 200, 200 });
        QVERIFY(plot::serves(*map, map->request));
        QVERIFY(plot::serves(*map, { 1, 1, 100, 300, 0, 400, 100, 200 }));
        QVERIFY(!plot::serves(*map, { 1, 1, 100, 300, 0, 400, 200, 200 })); // finer
        QVERIFY(!plot::serves(*map, { 1, 1, 0, 401, 0, 400, 200, 200 })); // more
        QVERIFY(!plot::serves(*map, { 1, 2, 0, 400, 0, 400, 200, 200 })); // another head
        AttentionMapRequest means = map->request;
        means.reduction = CellReduction::mean;
        QVERIFY(!plot::serves(*map, means));
    }

    /// Every pixel against a plain loop over the positions its cells cover.
    void a_pixel_shows_the_reduction_of_its_cells()
    {
        const ValueScale scale = ValueScale::linear(0, 1);
        for (const CellReduction reduction : { CellReduction::max, CellReduction::mean }) {
            const auto tile = made({ 0, 0, 0, 300, 0, 300, 300, 300, reduction });
            const QSize pixels(170, 130);
            const MapView view { 0, 300, 0, 300 };
            const QImage image = plot::renderTiles({ tile }, view, pixels, scale);
            for (int y = 0; y < pixels.height(); ++y) {
                for (int x = 0; x < pixels.width(); ++x) {
                    const CellRange rows = cellsOfPixel(0, 300, pixels.height(), y);
                    const CellRange columns = cellsOfPixel(0, 300, pixels.width(), x);
                    double largest = -1;
                    double sum = 0;
                    for (std::int64_t q = rows.begin; q < rows.end; ++q) {
                        for (std::int64_t k = columns.begin; k < columns.end; ++k) {
                            const auto value = static_cast<double>(cell_at(*tile, q, k)->value);
                            largest = std::max(largest, value);
                            sum += std::max(0.0, value);
                        }
                    }
                    const double shown = reduction == CellReduction::max
                        ? largest
                        : sum / static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
                    const QRgb wanted = largest < 0 ? 0 : viridis(scale.position(shown)) | 0xff000000U;
                    QCOMPARE(image.pixel(x, y), wanted);
                }
            }
        }
    }

    void a_lone_peak_is_seen_in_every_view()
    {
        const ValueScale scale = ValueScale::linear(0, 1);
        for (const std::int64_t cells : { 997, 613, 500 }) {
            auto tile = std::make_shared<AttentionMap>(*made({ 0, 0, 0, 997, 0, 997, cells, cells }));
            std::ranges::fill(tile->cells, 0.0F);
            const auto cell = cell_at(*tile, 700, 321);
            tile->cells[static_cast<std::size_t>(cell->row * tile->columns + cell->column)] = 1;
            for (const MapView& view :
                { MapView { 0, 997, 0, 997 }, { 10.3, 800.9, 222.2, 930.1 }, { 300, 330, 690, 720 } }) {
                const QImage image = plot::renderTiles({ tile }, view, { 333, 257 }, scale);
                int found = 0;
                for (int y = 0; y < image.height(); ++y) {
                    for (int x = 0; x < image.width(); ++x)
                        found += image.pixel(x, y) == (viridis(1) | 0xff000000U);
                }
                QVERIFY(found > 0);
            }
        }
    }

    void a_finer_tile_lies_over_the_coarse_one_also_where_it_hides()
    {
        const auto coarse = made({ 0, 0, 0, 400, 0, 400, 10, 10 });
        auto fine = std::make_shared<AttentionMap>(*made({ 0, 0, 100, 200, 100, 200, 100, 100 }));
        const ValueScale scale = ValueScale::linear(0, 1);
        const QImage both = plot::renderTiles({ coarse, fine }, { 0, 400, 0, 400 }, { 400, 400 }, scale);
        const QImage under = plot::renderTiles({ coarse }, { 0, 400, 0, 400 }, { 400, 400 }, scale);
        QCOMPARE(both.pixel(50, 300), under.pixel(50, 300));
        QCOMPARE(under.pixel(138, 125), under.pixel(125, 138)); // a coarse cell on the diagonal
        QCOMPARE(both.pixel(138, 125), QRgb { 0 }); // of which the finer shows the hidden part
        QCOMPARE(both.pixel(110, 180),
            viridis(scale.position(static_cast<double>(cell_at(*fine, 180, 110)->value))) | 0xff000000U);
        QCOMPARE(plot::cellAt({ coarse, fine }, { 150, 120 })->query_end, 151);
        QCOMPARE(plot::cellAt({ coarse, fine }, { 250, 120 })->query_end, 280);
        QVERIFY(!plot::cellAt({ coarse, fine }, { 400, 0 }));
    }

    void what_is_not_a_number_is_grey_and_out_of_the_scale()
    {
        auto tile = std::make_shared<AttentionMap>(*made({ 0, 0, 0, 64, 0, 64, 64, 64 }));
        tile->cells[40 * 64 + 20] = std::numeric_limits<float>::quiet_NaN();
        const QImage image = plot::renderTiles({ tile }, { 0, 64, 0, 64 }, { 32, 32 }, ValueScale::linear(0, 1));
        QCOMPARE(image.pixel(10, 20), viridis(std::numeric_limits<double>::quiet_NaN()) | 0xff000000U);
        for (const float value : plot::visibleValues(*tile))
            QVERIFY(value >= 0);
    }

    void the_table_has_the_visible_cells()
    {
        const auto tile = made({ 0, 0, 0, 90, 0, 90, 90, 90 });
        const QStringList all = plot::tilesCsv({ tile }, { 0, 90, 0, 90 }).split("\r\n", Qt::SkipEmptyParts);
        QCOMPARE(all.size(), 1 + 90 * 91 / 2);
        QCOMPARE(all[3], QString("1,2,1,2,%1").arg(static_cast<double>(tile->cells[91]), 0, 'g', 9));
        QCOMPARE(plot::tilesCsv({ tile }, { 0, 10, 50, 60 }).count("\r\n"), 1 + 100);
        QCOMPARE(plot::tilesCsv({ tile }, { 0, 90, 0, 90 }, 1000).count("\r\n"), 1 + 30 * 31 / 2 - 0);
        QCOMPARE(plot::tilesCsv({}, { 0, 90, 0, 90 }).count("\r\n"), 1);
    }

    void a_large_map_is_painted_quickly()
    {
        const auto tile = made({ 0, 0, 0, 2900, 0, 2900, 2900, 2900 });
        const ValueScale scale = ValueScale::log(1e-4, 1);
        std::vector<qint64> times;
        for (int frame = 0; frame < 15; ++frame) {
            QElapsedTimer timer;
            timer.start();
            const QImage image = plot::renderTiles({ tile },
                { 10.0 * frame, 2000 + 30.0 * frame, 10.0 * frame, 2000 + 30.0 * frame }, { 1480, 1180 }, scale);
            times.push_back(timer.nsecsElapsed());
            QVERIFY(!image.isNull());
        }
        std::ranges::sort(times);
        qInfo("2900 x 2900 cells at 1480 x 1180 pixels: median frame %.2f ms", static_cast<double>(times[7]) * 1e-6);
    }
};

KEEPSET_TEST(TestAttentionTiles)
#include "tst_attention_tiles.moc"
