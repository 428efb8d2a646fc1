#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/pages/attention_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

constexpr int patience = 60000;
constexpr std::int64_t context = 700;

std::shared_ptr<const Analysis> demoAnalysis(std::int64_t tokens, bool keep = true)
{
    Engine engine;
    engine.open_model(KEEPSET_SOURCE_DIR "/resources/demo/model", {});
    AnalysisRequest request;
    request.text = read_text(KEEPSET_SOURCE_DIR "/resources/demo/demo.txt");
    request.context = tokens;
    request.keep_attention = keep;
    return engine.analyse(request);
}

/// A page in its window, drawn.
struct Looked {
    Session session;
    SelectionState selection;
    AttentionPage page { &selection, &session };
    plot::HeatmapWidget* map = page.findChild<plot::HeatmapWidget*>("attentionMap");

    explicit Looked(const std::shared_ptr<const Analysis>& analysis, QSize size = { 892, 760 })
    {
        page.resize(size);
        page.show();
        page.setAnalysis(analysis);
        settle();
    }
    void settle() { QTRY_VERIFY_WITH_TIMEOUT(!page.isDrawing() && !session.busy(), patience); }
    template <typename Widget> Widget* child(const char* name) { return page.findChild<Widget*>(name); }
    const plot::AttentionTiles& tiles() const { return map->heatmap().tiles; }
    QRectF area() const
    {
        const QRectF canvas = QRectF(map->rect()).adjusted(0, 0, 0, -2);
        return plot::layoutHeatmap(map->heatmap(), map->view(), plot::styleFor(map->palette()), canvas).map;
    }
    QPoint pixelAt(double query, double key) const { return pixelOf(map->view(), area(), { key, query }).toPoint(); }
};

} // namespace

class TestAttentionPage : public QObject {
    Q_OBJECT

private:
    std::shared_ptr<const Analysis> analysis_;

private Q_SLOTS:
    void initTestCase()
    {
        installTheme(*qApp, Appearance::light);
        analysis_ = demoAnalysis(context);
    }

    void the_map_shows_the_numbers_of_core()
    {
        Looked shown(analysis_);
        shown.child<QComboBox>("attentionLayer")->setCurrentIndex(3);
        shown.child<QComboBox>("attentionHead")->setCurrentIndex(2);
        shown.settle();
        AttentionMapRequest request { 3, 2, 0, context, 0, context, context, context };
        const AttentionMap exact = attention_map(*analysis_, request);
        QCOMPARE(shown.tiles().size(), std::size_t { 1 });
        QCOMPARE(shown.tiles()[0]->cells, exact.cells); // fewer tokens than two a pixel: each has a cell
        QVERIFY(shown.map->heatmap().title.contains("layer 3, head 2"));
        request.reduction = CellReduction::mean;
        shown.child<QComboBox>("attentionReduction")->setCurrentIndex(1);
        shown.settle();
        QCOMPARE(shown.tiles()[0]->request.reduction, CellReduction::mean);
        QCOMPARE(shown.tiles()[0]->cells, attention_map(*analysis_, request).cells);
    }

    void a_small_map_has_cells_of_several_tokens_and_says_so()
    {
        Looked shown(analysis_, { 640, 330 });
        QCOMPARE(shown.tiles().size(), std::size_t { 1 });
        const AttentionMap& tile = *shown.tiles()[0];
        QVERIFY(tile.rows < context / 2);
        QVERIFY(tile.rows >= shown.map->mapPixels().height());
        QCOMPARE(tile.columns, context);
        QCOMPARE(tile.cells, attention_map(*analysis_, tile.request).cells);
        QVERIFY2(shown.map->heatmap().subtitle.contains("largest of"), qPrintable(shown.map->heatmap().subtitle));
        const QPoint at = shown.pixelAt(600.5, 100.5);
        QTest::mouseMove(shown.map, at);
        const QString words = shown.child<QLabel>("attentionReadout")->text();
        const MapCell under = cellAt(shown.map->view(), { context, context }, shown.area(), at).value();
        const auto cell = cell_at(tile, under.row, under.column);
        QVERIFY(cell.has_value());
        QVERIFY2(words.contains(QString("%1–%2").arg(cell->query_begin).arg(cell->query_end - 1))
                && words.contains("largest probability of them"),
            qPrintable(words));
        shown.map->setView({ 90, 120, 580, 610 });
        shown.settle();
        QCOMPARE(plot::cellAt(shown.tiles(), { 600, 100 })->query_end, 601); // closer: every token has its cell
    }

    void zoom_keeps_the_coarse_picture_until_the_finer_is_there_and_can_be_undone()
    {
        Looked shown(analysis_, { 640, 330 });
        const auto whole = shown.tiles()[0];
        auto* back = shown.child<QToolButton>("attentionBack");
        QVERIFY(!back->isEnabled());
        const QPoint from = shown.pixelAt(300, 100);
        const QPoint to = shown.pixelAt(500, 250);
        QTest::mousePress(shown.map, Qt::LeftButton, {}, from);
        QTest::mouseMove(shown.map, to);
        QTest::mouseRelease(shown.map, Qt::LeftButton, {}, to);
        QCOMPARE(shown.tiles(), plot::AttentionTiles { whole });
        QVERIFY(back->isEnabled());
        const MapView zoomed = shown.map->view();
        QVERIFY(std::abs(zoomed.rowBegin - 300) < 4 && std::abs(zoomed.columnEnd - 250) < 4);
        shown.settle();
        QCOMPARE(shown.tiles().size(), std::size_t { 2 });
        QCOMPARE(shown.tiles()[0], whole);
        QCOMPARE(shown.tiles()[1]->cells, attention_map(*analysis_, shown.tiles()[1]->request).cells);
        QTest::keyClick(shown.map, Qt::Key_Plus); // both axes
        QVERIFY(shown.map->view().rows() < zoomed.rows() && shown.map->view().columns() < zoomed.columns());
        back->click();
        QCOMPARE(shown.map->view(), zoomed);
        QTest::mouseClick(shown.map, Qt::RightButton, {}, from);
        QCOMPARE(shown.map->view(), wholeMap({ context, context }));
        shown.settle();
        QCOMPARE(shown.tiles(), plot::AttentionTiles { whole }); // nothing was made anew
        shown.map->setView({ 100, 200, 300, 400 });
        shown.child<QToolButton>("attentionWhole")->click();
        QCOMPARE(shown.map->view(), wholeMap({ context, context }));
        QVERIFY(!back->isEnabled());
    }

    void the_wheel_zooms_both_axes_and_shift_drag_moves()
    {
        Looked shown(analysis_);
        const QPoint at = shown.pixelAt(400.5, 100.5);
        const auto under = [&] { return cellAt(shown.map->view(), { context, context }, shown.area(), at); };
        const MapCell before = under().value();
        QWheelEvent closer(at, shown.map->mapToGlobal(at), {}, { 0, 240 }, {}, {}, Qt::NoScrollPhase, false);
        QApplication::sendEvent(shown.map, &closer);
        QVERIFY(std::abs(shown.map->view().rows() - 0.64 * context) < 1);
        QVERIFY(std::abs(shown.map->view().columns() - 0.64 * context) < 1);
        QCOMPARE(under().value(), before);
        const MapView zoomed = shown.map->view();
        QTest::mousePress(shown.map, Qt::LeftButton, Qt::ShiftModifier, at);
        QTest::mouseMove(shown.map, at - QPoint(20, 30));
        QTest::mouseRelease(shown.map, Qt::LeftButton, Qt::ShiftModifier, at - QPoint(20, 30));
        QVERIFY(shown.map->view().rowBegin > zoomed.rowBegin && shown.map->view().columnBegin > zoomed.columnBegin);
        QCOMPARE(shown.map->view().rows(), zoomed.rows());
        shown.map->setView({ 100, 100.5, 100, 100.5 });
        QCOMPARE(shown.map->view().rows(), 8.0); // no closer
    }

    void another_head_keeps_the_view_and_gets_its_whole_map_behind_it()
    {
        Looked shown(analysis_);
        const MapView view { 60, 200, 250, 330 };
        shown.map->setView(view);
        shown.settle();
        const QString before = shown.map->heatmap().title;
        shown.child<QComboBox>("attentionHead")->setCurrentIndex(4);
        QCOMPARE(shown.map->heatmap().title, before); // the picture is still of the other head and says so
        shown.settle();
        QCOMPARE(shown.map->view(), view);
        QVERIFY(shown.map->heatmap().title.contains("head 4"));
        for (const auto& tile : shown.tiles())
            QCOMPARE(tile->request.head, std::int64_t { 4 });
        QCOMPARE(shown.tiles().front()->request.query_end, context);
    }

    void results_that_come_late_are_dropped()
    {
        Looked shown(analysis_);
        const plot::AttentionTiles before = shown.tiles();
        auto stray = std::make_shared<AttentionMap>(*before[0]);
        Q_EMIT shown.session.attentionDrawn(analysis_, stray); // not waited for
        QCOMPARE(shown.tiles(), before);
        auto* heads = shown.child<QComboBox>("attentionHead");
        for (int head = 1; head < heads->count(); ++head) {
            heads->setCurrentIndex(head);
            QApplication::processEvents();
        }
        stray->request.head = heads->count() - 1;
        Q_EMIT shown.session.attentionDrawn(demoAnalysis(64), stray); // waited for, of another text
        stray->request.head = 1;
        Q_EMIT shown.session.attentionDrawn(analysis_, stray); // of a head that was left
        for (const auto& tile : shown.tiles())
            QVERIFY(tile != stray);
        shown.settle();
        QCOMPARE(shown.tiles().back()->request.head, std::int64_t { heads->count() - 1 });
        heads->setCurrentIndex(0);
        QApplication::processEvents();
        shown.page.setAnalysis(nullptr);
        shown.settle();
        QVERIFY(!shown.page.hasMap());
        QVERIFY(!shown.map->heatmap().filled());
    }

    void a_page_that_is_not_seen_draws_nothing()
    {
        Session session;
        SelectionState selection;
        AttentionPage page(&selection, &session);
        page.setAnalysis(analysis_);
        QApplication::processEvents();
        QVERIFY(!session.busy());
        QSignalSpy ready(&page, &AttentionPage::mapReady);
        page.show();
        QVERIFY(ready.wait(patience));
    }

    void without_queries_and_keys_it_says_what_to_do()
    {
        Looked shown(nullptr);
        QVERIFY(shown.map->heatmap().emptyText.contains("Analyse"));
        shown.page.setAnalysis(demoAnalysis(64, false));
        QVERIFY2(shown.map->heatmap().emptyText.contains("trace")
                && shown.map->heatmap().emptyText.contains("Open the model"),
            qPrintable(shown.map->heatmap().emptyText));
        QVERIFY(!shown.child<QComboBox>("attentionLayer")->isEnabled());
        auto full = std::make_shared<Analysis>(*demoAnalysis(64, false));
        full->no_attention = "About 9 GB are needed.";
        shown.page.setAnalysis(full);
        QVERIFY(shown.map->heatmap().emptyText.contains("9 GB")
            && shown.map->heatmap().emptyText.contains("shorter context"));
        test::savePictures(shown.page, "attention-none");
        QVERIFY(!shown.page.exportables().front()->hasContent());
        QVERIFY(!shown.session.busy());
    }

    void token_layer_and_head_are_linked()
    {
        auto grouped = std::make_shared<Analysis>(*analysis_); // heads 0 … 4 as if they read one kv head
        grouped->kv_heads = 1;
        Looked shown(grouped);
        QCOMPARE(shown.page.layer(), grouped->layers / 2);
        shown.child<QComboBox>("attentionHead")->setCurrentIndex(3);
        QCOMPARE(shown.selection.scope(), (Scope { grouped->layers / 2, 0 }));
        shown.selection.setScope({ 5, 0 });
        QCOMPARE(shown.page.layer(), 5);
        QCOMPARE(shown.page.head(), 3); // it reads that kv head already
        QCOMPARE(shown.child<QComboBox>("attentionLayer")->currentIndex(), 5);
        shown.page.setAnalysis(analysis_);
        shown.selection.setScope({ 2, 4 });
        QCOMPARE(shown.page.head(), 4);
        shown.selection.setScope({});
        QCOMPARE(shown.page.layer(), 2); // the model's mean has no P: the last layer stays
        shown.settle();
        QTest::mouseClick(shown.map, Qt::LeftButton, {}, shown.pixelAt(600.5, 300.5));
        QVERIFY(std::abs(shown.selection.token() - 300) <= 1);
        QCOMPARE(shown.map->heatmap().chosenColumn.value(), shown.selection.token());
        QCOMPARE(shown.selection.scope(), (Scope { 2, 4 }));
        shown.selection.setToken(17);
        QCOMPARE(shown.map->heatmap().chosenRows.value(), (CellRange { 17, 18 }));
        QTest::mouseClick(shown.map, Qt::LeftButton, {}, shown.pixelAt(100.5, 600.5)); // hidden
        QCOMPARE(shown.selection.token(), 17);
    }

    void hover_and_keyboard_tell_query_key_and_value()
    {
        Looked shown(analysis_);
        QSignalSpy spy(&shown.page, &AttentionPage::hovered);
        shown.map->setView({ 40, 60, 50, 70 });
        shown.settle();
        QTest::mouseMove(shown.map, shown.pixelAt(61.5, 44.5));
        const auto cell = plot::cellAt(shown.tiles(), { 61, 44 });
        const QString words = spy.last()[0].toString();
        const QString value = QString::number(static_cast<double>(cell->value), 'g', 2);
        QVERIFY2(words.contains("query 61") && words.contains("key 44") && words.contains(value.left(3)),
            qPrintable(words + " " + value));
        QCOMPARE(shown.child<QLabel>("attentionReadout")->text(), words);
        QTest::keyClick(shown.map, Qt::Key_Right);
        QVERIFY(spy.last()[0].toString().contains("key 45"));
        QTest::keyClick(shown.map, Qt::Key_Return);
        QCOMPARE(shown.selection.token(), 45);
        for (int i = 0; i < 20; ++i)
            QTest::keyClick(shown.map, Qt::Key_Right);
        QVERIFY(spy.last()[0].toString().contains("hidden"));
    }

    void the_same_colours_mean_the_same_values_until_they_are_fitted()
    {
        Looked shown(analysis_);
        const ValueScale locked = shown.map->heatmap().scale;
        QCOMPARE(locked.high(), 1.0);
        QCOMPARE(locked.low(), 0.1 / context);
        shown.selection.setScope({ 0, 1 });
        shown.settle();
        QVERIFY(shown.map->heatmap().scale == locked);
        shown.child<QComboBox>("attentionScale")->setCurrentIndex(1);
        QCOMPARE(shown.map->heatmap().scale.kind(), ValueScaleKind::linear);
        QCOMPARE(shown.map->heatmap().scale.low(), 0.0);
        shown.map->setView({ 100, 200, 400, 500 }); // away from the diagonal: nothing comes near 1
        shown.child<QCheckBox>("attentionLock")->setChecked(false);
        shown.settle();
        const auto values = plot::visibleValues(*shown.tiles().back());
        QCOMPARE(shown.map->heatmap().scale.high(), static_cast<double>(*std::ranges::max_element(values)));
    }

    void every_format_is_exported()
    {
        Looked shown(analysis_);
        const QTemporaryDir folder;
        for (const char* suffix : { "png", "svg", "pdf", "csv" })
            QVERIFY(!exportChart(*shown.page.exportables().front(), folder.filePath(QString("map.") + suffix)));
        QFile csv(folder.filePath("map.csv"));
        QVERIFY(csv.open(QIODevice::ReadOnly));
        QCOMPARE(csv.readAll().count('\n'), 1 + context * (context + 1) / 2);
    }

    void controls_have_names_and_keys()
    {
        Looked shown(analysis_);
        for (const char* name : { "attentionLayer", "attentionHead", "attentionReduction", "attentionScale",
                 "attentionLock", "attentionBack", "attentionWhole" }) {
            const auto* widget = shown.child<QWidget>(name);
            QVERIFY2(!widget->accessibleName().isEmpty() && widget->focusPolicy() != Qt::NoFocus, name);
        }
        QVERIFY(shown.map->accessibleName().contains("layer"));
        QVERIFY(!shown.map->accessibleDescription().isEmpty());
    }

    void pictures()
    {
        Looked shown(demoAnalysis(1024));
        shown.selection.setToken(412);
        QTest::mouseMove(shown.map, shown.pixelAt(800, 460));
        test::savePictures(shown.page, "attention-done");
        shown.map->setView({ 20, 52, 24, 52 });
        shown.settle();
        shown.selection.setToken(31);
        QTest::mouseMove(shown.map, shown.pixelAt(44.5, 31.5));
        test::savePictures(shown.page, "attention-zoomed");
        const QString folder = QCoreApplication::applicationDirPath() + "/../pictures/";
        for (const char* suffix : { "png", "svg", "pdf" })
            QVERIFY(!exportChart(*shown.page.exportables().front(), folder + "export-attention." + suffix));
    }
};

KEEPSET_TEST(TestAttentionPage)
#include "tst_attention_page.moc"
