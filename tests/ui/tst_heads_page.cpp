#include "core/engine.h"
#include "core/head_summary.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/keep_set_state.h"
#include "ui/pages/heads_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

constexpr int patience = 60000; ///< ms

/// The page with what it hangs on.
struct Stage {
    explicit Stage(const std::shared_ptr<const Analysis>& analysis, QSize size = { 892, 760 })
    {
        page.resize(size);
        page.show();
        page.setAnalysis(analysis);
        rows.setAnalysis(analysis);
    }
    SelectionState selection;
    Session session;
    RowState rows { &selection };
    KeepSetState keepSets { &selection, &rows, &session };
    HeadsPage page { &selection, &keepSets, &session };
    plot::HeatmapWidget* sheet() { return page.findChild<plot::HeatmapWidget*>("headSheet"); }
    charts::HeadScatter* scatter()
    {
        return dynamic_cast<charts::HeadScatter*>(page.findChild<QWidget*>("headScatter"));
    }
    QComboBox* choice(const char* name) { return page.findChild<QComboBox*>(QLatin1String(name)); }
    /// Where a head's tile is in the sheet.
    QPoint placeOf(int layer, int head)
    {
        const plot::HeatmapLayout layout = plot::layoutHeatmap(sheet()->heatmap(), sheet()->view(),
            plot::styleFor(sheet()->palette()), QRectF(sheet()->rect()).adjusted(0, 0, 0, -2));
        return pixelOf(sheet()->view(), layout.map, { head + 0.5, layer + 0.5 }).toPoint();
    }
};

} // namespace

/// Every head of a model, as a tile and as a point.
class TestHeadsPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }

    void tiles_and_points_show_the_numbers_of_core()
    {
        const auto analysis = test::plausibleAnalysis(5, 6, 300);
        Stage stage(analysis);
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        const HeadSummaries expected = summarise_heads(*analysis, Importance::cumulative, 512);
        QCOMPARE(stage.sheet()->heatmap().size(), (MapSize { 5, 6 }));
        QCOMPARE(stage.sheet()->heatmap().heads->largest, expected.largest);
        const charts::ChartData& data = stage.scatter()->data();
        QCOMPARE(data.series.size(), std::size_t { 5 });
        for (std::int64_t layer = 0; layer < 5; ++layer) {
            for (std::int64_t head = 0; head < 6; ++head) {
                const charts::ChartPoint& point = data.series.at(layer).points.at(head);
                const HeadNumbers& numbers = expected.numbers[expected.index(layer, head)];
                QCOMPARE(point.x, numbers.sink_mass);
                QCOMPARE(point.y, numbers.entropy_share);
            }
        }
        stage.choice("headsX")->setCurrentIndex(stage.choice("headsX")->findData("distance"));
        QCOMPARE(stage.scatter()->data().series.at(2).points.at(3).x, expected.numbers[15].mean_distance);
        QVERIFY(stage.scatter()->data().x.title.contains("tokens"));
    }

    void kept_shares_follow_policy_and_sparsity()
    {
        const auto analysis = test::plausibleAnalysis(4, 6, 200);
        Stage stage(analysis);
        stage.choice("headsY")->setCurrentIndex(stage.choice("headsY")->findData("keptA"));
        stage.choice("headsX")->setCurrentIndex(stage.choice("headsX")->findData("keptB"));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        const auto check = [&](int side, bool up) {
            const auto shares = kept_shares(*analysis, select(*analysis, stage.selection.request(side)));
            const charts::ChartPoint& point = stage.scatter()->data().series.at(3).points.at(4);
            QCOMPARE(up ? point.y : point.x, shares.at(3 * 6 + 4));
        };
        check(0, true);
        check(1, false);
        QVERIFY(stage.choice("headsY")->currentText().contains("H2O"));
        stage.selection.setSparsity(0.3);
        QVERIFY(stage.page.isLoading());
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        check(0, true);
        stage.selection.setPolicies(parse_policy("streaming-llm"), {});
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        QVERIFY(stage.choice("headsY")->currentText().contains("StreamingLLM"));
        QVERIFY(charts::isEmpty(stage.scatter()->data())); // B has no policy: nobody has a number for it
    }

    void a_click_chooses_layer_and_head_in_both()
    {
        Stage stage(test::plausibleAnalysis(5, 6, 300));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        stage.page.grab(); // lays out
        QTest::mouseClick(stage.sheet(), Qt::LeftButton, {}, stage.placeOf(3, 4));
        QCOMPARE(stage.selection.scope(), (Scope { 3, 1 })); // 6 heads, 2 kv heads
        QCOMPARE(stage.selection.head(), 4);
        QCOMPARE(stage.sheet()->heatmap().chosenRows, (CellRange { 3, 4 }));
        QCOMPARE(stage.sheet()->heatmap().chosenHeads, (CellRange { 4, 5 }));
        QCOMPARE(stage.scatter()->data().chosen.size(), std::size_t { 1 });
        QCOMPARE(stage.scatter()->data().chosen[0], (charts::PointRef { 3, 4 }));
        const QPoint point = stage.scatter()->plot()->positionOf({ 1, 2 }).toPoint();
        QTest::mouseClick(stage.scatter()->viewport(), Qt::LeftButton, {}, point);
        QCOMPARE(stage.selection.scope(), (Scope { 1, 0 }));
        QCOMPARE(stage.selection.head(), 2);
        stage.selection.setScope({ 2, 1 }); // chosen elsewhere: all heads that read it
        QCOMPARE(stage.selection.head(), -1);
        QCOMPARE(stage.scatter()->data().chosen.size(), std::size_t { 3 });
        stage.selection.setScope({ 2, -1 });
        QVERIFY(!stage.sheet()->heatmap().chosenHeads);
        stage.selection.setScope({});
        QVERIFY(!stage.sheet()->heatmap().chosenRows && stage.scatter()->data().chosen.empty());
    }

    void both_are_read_and_chosen_from_by_keys()
    {
        Stage stage(test::plausibleAnalysis(5, 6, 300));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        QSignalSpy told(&stage.page, &HeadsPage::hovered);
        QTest::keyClick(stage.sheet(), Qt::Key_Right);
        QTest::keyClick(stage.sheet(), Qt::Key_Down);
        const QString words = told.last()[0].toString();
        for (const char* part : { "layer 1, head 1", "sink mass", "nats", "mean distance", "H2O", "CAB" })
            QVERIFY2(words.contains(QLatin1String(part)), qPrintable(words));
        QTest::keyClick(stage.sheet(), Qt::Key_Return);
        QCOMPARE(stage.selection.head(), 1);
        QTest::keyClick(stage.scatter(), Qt::Key_Right);
        QTest::keyClick(stage.scatter(), Qt::Key_Right);
        QTest::keyClick(stage.scatter(), Qt::Key_Down);
        QVERIFY(told.last()[0].toString().contains("layer"));
        const auto at = stage.scatter()->plot()->readout();
        QVERIFY(at.has_value());
        QTest::keyClick(stage.scatter(), Qt::Key_Return);
        QCOMPARE(stage.selection.scope().layer, static_cast<std::int64_t>(at->series));
        QCOMPARE(stage.selection.head(), static_cast<std::int64_t>(at->point));
    }

    void a_page_that_nobody_sees_makes_nothing()
    {
        SelectionState selection;
        Session session;
        RowState rows(&selection);
        KeepSetState keepSets(&selection, &rows, &session);
        HeadsPage page(&selection, &keepSets, &session);
        page.setAnalysis(test::plausibleAnalysis(4, 3, 100));
        QVERIFY(!session.busyWith(Session::Kind::heads));
        page.show();
        QVERIFY(session.busyWith(Session::Kind::heads));
    }

    void a_head_that_is_no_number_is_left_out_and_said()
    {
        auto analysis = std::make_shared<Analysis>(*test::plausibleAnalysis(3, 3, 100));
        analysis->importance[150] = std::numeric_limits<float>::quiet_NaN(); // layer 0, head 1
        Stage stage(analysis);
        QTRY_VERIFY_WITH_TIMEOUT(stage.sheet()->heatmap().filled(), patience);
        QVERIFY(!stage.scatter()->plot()->isDrawn({ 0, 1 }));
        QVERIFY(stage.scatter()->plot()->isDrawn({ 0, 0 }));
        QVERIFY2(
            stage.scatter()->exportSubtitle().contains("1 without"), qPrintable(stage.scatter()->exportSubtitle()));
    }

    void one_layer_one_head_and_one_token_are_shown()
    {
        Stage stage(test::plausibleAnalysis(1, 1, 1));
        QTRY_VERIFY_WITH_TIMEOUT(stage.sheet()->heatmap().filled(), patience);
        QVERIFY(!stage.page.grab().isNull());
        stage.choice("headsY")->setCurrentIndex(stage.choice("headsY")->findData("distance"));
        QVERIFY(stage.scatter()->plot()->isDrawn({ 0, 0 }));
    }

    void every_format_is_exported_with_all_numbers()
    {
        Stage stage(test::plausibleAnalysis(4, 6, 200));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        const QTemporaryDir folder;
        for (const Exportable* chart : stage.page.exportables()) {
            for (const char* suffix : { "png", "svg", "pdf", "csv" }) {
                const QString file = folder.filePath(chart->exportName() + "." + suffix);
                QVERIFY(!exportChart(*chart, file));
                QVERIFY(QFileInfo(file).size() > 200);
            }
        }
        QFile csv(folder.filePath("heads.csv"));
        QVERIFY(csv.open(QIODevice::ReadOnly));
        const QList<QByteArray> lines = csv.readAll().trimmed().split('\n');
        QCOMPARE(lines.size(), 1 + 24);
        QCOMPARE(lines[0].trimmed(),
            QByteArray(
                "layer,head,kv_head,sink_mass,entropy,entropy_share,mean_distance,kept_share H2O,kept_share CAB"));
        QCOMPARE(lines[24].split(',').size(), 9);
        QVERIFY(lines[24].startsWith("3,5,1,"));
    }

    /// A tile's pixels are the bins' largest values in colours.
    void pixels_of_a_tile_are_its_values()
    {
        const auto analysis = test::plausibleAnalysis(2, 8, 40);
        const HeadSummaries heads = summarise_heads(*analysis, Importance::cumulative, 20);
        const ValueScale scale = ValueScale::log(0.1, 10);
        const QImage image = plot::renderHeads(heads, wholeMap({ 2, 8 }), { 8 * 22, 40 }, scale, Reduction::max);
        for (int bin = 0; bin < 20; ++bin) { // 20 pixels and a gap of 2
            const double value = static_cast<double>(heads.largest.at(heads.index(1, 3) * 20 + bin));
            QCOMPARE(image.pixel(3 * 22 + bin, 30), viridis(scale.position(value)));
        }
        QCOMPARE(qAlpha(image.pixel(3 * 22 + 20, 30)), 0);
        QCOMPARE(qAlpha(image.pixel(5, 19)), 0); // between layers
    }

    /// Layers come one after the other; those that are there are shown.
    void what_is_there_so_far_is_shown()
    {
        const auto analysis = test::plausibleAnalysis(3, 8, 40);
        auto some = std::make_shared<HeadSummaries>(summarise_heads(*analysis, Importance::cumulative, 20));
        some->layers_done = 1;
        const ValueScale scale = ValueScale::log(0.1, 10);
        const QImage image = plot::renderHeads(*some, wholeMap({ 3, 8 }), { 8 * 22, 60 }, scale, Reduction::max);
        QCOMPARE(qAlpha(image.pixel(5, 10)), 255);
        QCOMPARE(qAlpha(image.pixel(5, 30)), 0);
        QCOMPARE(plot::headBinsCsv(*some, wholeMap({ 3, 8 })).count("\r\n"), 1 + 8 * 20);
        Stage stage(analysis);
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        QVERIFY(!stage.sheet()->heatmap().subtitle.contains("so far"));
        Q_EMIT stage.session.headsSummarised(analysis, some);
        QVERIFY(stage.page.isLoading());
        QCOMPARE(stage.sheet()->heatmap().heads->layers_done, 1);
        QVERIFY2(stage.sheet()->heatmap().subtitle.contains("1 of 3 layers so far"),
            qPrintable(stage.sheet()->heatmap().subtitle));
        QVERIFY(stage.scatter()->data().subtitle.contains("1 of 3 layers so far"));
    }

    void leaving_the_page_ends_what_is_under_way_for_it()
    {
        const auto analysis = test::plausibleAnalysis(8, 8, 4096);
        Stage stage(analysis);
        QSignalSpy summarised(&stage.session, &Session::headsSummarised);
        QSignalSpy compared(&stage.session, &Session::headsCompared);
        QVERIFY(stage.session.busyWith(Session::Kind::heads));
        stage.page.hide();
        QTRY_VERIFY_WITH_TIMEOUT(!stage.session.busy(), patience);
        QTest::qWait(100); // keep sets are asked for a little later
        QTRY_VERIFY_WITH_TIMEOUT(!stage.session.busy(), patience);
        QCOMPARE(summarised.size(), 0);
        QCOMPARE(compared.size(), 0);
        QVERIFY(stage.page.isLoading());
        stage.page.show();
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
    }

    void a_thousand_heads_are_painted_quickly()
    {
        Stage stage(test::plausibleAnalysis(32, 32, 2048));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        stage.page.grab();
        std::vector<qint64> times;
        for (int round = 0; round < 21; ++round) {
            QElapsedTimer timer;
            timer.start();
            stage.selection.setHead(round, round, 1);
            QCoreApplication::sendPostedEvents();
            stage.page.grab();
            times.push_back(timer.nsecsElapsed());
        }
        std::ranges::sort(times);
        qInfo("another of 1024 heads chosen, with the whole page painted: median %.1f ms",
            static_cast<double>(times[10]) * 1e-6);
    }

    void pictures()
    {
        Stage stage(test::plausibleAnalysis(30, 9, 1024));
        QTRY_VERIFY_WITH_TIMEOUT(!stage.page.isLoading(), patience);
        stage.selection.setHead(12, 4, 3);
        test::savePictures(stage.page, "heads");
        stage.page.resize(545, 470);
        test::savePictures(stage.page, "heads-small");
    }
};

KEEPSET_TEST(TestHeadsPage)
#include "tst_heads_page.moc"
