#include "tests/support/test_main.h"
#include "ui/chart_export.h"
#include "ui/plot/chart_widget.h"
#include "ui/theme.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <csignal>
#include <sys/resource.h>

using namespace keepset::ui;
using namespace keepset::ui::plot;

namespace {

Chart example()
{
    Chart chart;
    chart.title = "Perplexity against sparsity";
    chart.subtitle = "demo.txt";
    chart.x = { "Sparsity (share of the context evicted)", AxisScale::linear, NumberFormat::percent, { 0, 0.5, 0.9 } };
    chart.y = { "Perplexity", AxisScale::log, NumberFormat::plain, {} };
    chart.series
        = { { "H2O", { { 0, 15, 15, 15 }, { 0.5, 16.5, 16, 17 }, { 0.9, 20.52, 19, 22 } }, methodStyle("h2o") },
              { "CAB, \"median\"", { { 0, 15 }, { 0.5, 16.4 }, { 0.9, 21.07 } }, methodStyle("cab") } };
    chart.references = { { 15, "dense 15.00" } };
    return chart;
}

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

class TestChartExport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); } // with the bundled fonts
    void png_is_twice_the_size_and_on_white();
    void svg_has_its_text_as_text();
    void pdf_is_one_page_with_fonts();
    void csv_quotes_and_keeps_full_precision();
    void what_cannot_be_written_is_said_in_a_sentence();
    void a_full_disk_leaves_the_old_file();
    void an_unknown_suffix_is_refused();
    void zoom_has_a_history_by_mouse_and_keyboard();
    void the_read_out_is_reached_by_keyboard();
    void charts_are_described_in_words();
    void nearest_point_needs_to_be_near();

private:
    QTemporaryDir folder_;
};

void TestChartExport::png_is_twice_the_size_and_on_white()
{
    ChartWidget widget;
    widget.resize(700, 360);
    widget.setChart(example());
    const QString path = folder_.filePath("chart.png");
    QVERIFY(!exportChart(widget, path));
    const QImage image(path);
    QCOMPARE(image.size(), widget.exportSize() * 2);
    QCOMPARE(image.pixelColor(2, 2), QColor(Qt::white));
}

void TestChartExport::svg_has_its_text_as_text()
{
    ChartWidget widget;
    widget.setChart(example());
    const QString path = folder_.filePath("chart.svg");
    QVERIFY(!exportChart(widget, path));
    const QByteArray svg = contents(path);
    for (const char* words : { "Perplexity against sparsity", "dense 15.00", "H2O", "50%", "<svg" })
        QVERIFY2(svg.contains(words), words);
    QVERIFY(!svg.contains("<image"));
}

void TestChartExport::pdf_is_one_page_with_fonts()
{
    ChartWidget widget;
    widget.setChart(example());
    const QString path = folder_.filePath("chart.pdf");
    QVERIFY(!exportChart(widget, path));
    const QByteArray pdf = contents(path);
    QVERIFY(pdf.startsWith("%PDF-"));
    QCOMPARE(pdf.count("/Type /Page\n"), 1);
    QVERIFY(pdf.contains("/Type /Font"));
}

void TestChartExport::csv_quotes_and_keeps_full_precision()
{
    Chart chart = example();
    chart.series[0].points[1].y = 1.0 / 3;
    ChartWidget widget;
    widget.setChart(chart);
    const QString path = folder_.filePath("chart.csv");
    QVERIFY(!exportChart(widget, path));
    const QList<QByteArray> lines = contents(path).split('\n');
    QCOMPARE(lines[0], QByteArray("series,Sparsity (share of the context evicted),Perplexity,low,high\r"));
    QCOMPARE(lines[2].split(',')[2].toDouble(), 1.0 / 3);
    QCOMPARE(lines[4], QByteArray("\"CAB, \"\"median\"\"\",0,15,,\r"));
}

void TestChartExport::what_cannot_be_written_is_said_in_a_sentence()
{
    ChartWidget widget;
    widget.setChart(example());
    const QString missing = folder_.filePath("no-such-folder/chart.pdf");
    const auto sentence = exportChart(widget, missing);
    QVERIFY(sentence);
    QVERIFY(sentence->contains(missing) && sentence->endsWith('.'));
    QVERIFY(QDir(folder_.path()).mkdir("folder.png"));
    QVERIFY(exportChart(widget, folder_.filePath("folder.png")));
}

void TestChartExport::a_full_disk_leaves_the_old_file()
{
    // A limit on the size of files makes writes fail half way, as a full disk does.
    const QString path = folder_.filePath("kept.png");
    ChartWidget widget;
    widget.setChart(example());
    QVERIFY(!exportChart(widget, path));
    const QByteArray before = contents(path);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old {};
    QCOMPARE(getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlimit small { 1000, old.rlim_max };
    QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto sentence = exportChart(widget, path);
    QCOMPARE(setrlimit(RLIMIT_FSIZE, &old), 0);
    QVERIFY(sentence);
    QVERIFY(sentence->contains(path));
    QCOMPARE(contents(path), before);
}

void TestChartExport::an_unknown_suffix_is_refused()
{
    ChartWidget widget;
    for (const char* name : { "chart.bmp", "chart" }) {
        const auto sentence = exportChart(widget, folder_.filePath(name));
        QVERIFY(sentence && sentence->contains(".svg"));
        QVERIFY(!QFile::exists(folder_.filePath(name)));
    }
}

void TestChartExport::zoom_has_a_history_by_mouse_and_keyboard()
{
    ChartWidget widget;
    widget.resize(700, 360);
    widget.setChart(example());
    const ChartView whole = widget.view();
    QTest::mousePress(&widget, Qt::LeftButton, {}, { 200, 80 });
    QTest::mouseMove(&widget, { 300, 200 });
    QTest::mouseRelease(&widget, Qt::LeftButton, {}, { 300, 200 });
    const ChartView first = widget.view();
    QVERIFY(first.x.low > whole.x.low && first.x.high < whole.x.high && first.y.high < whole.y.high);
    QTest::keyClick(&widget, Qt::Key_Plus);
    QVERIFY(widget.view() != first);
    QTest::keyClick(&widget, Qt::Key_Backspace);
    QCOMPARE(widget.view(), first);
    QTest::mouseClick(&widget, Qt::RightButton, {}, { 200, 80 });
    QCOMPARE(widget.view(), whole);
    widget.setView(first);
    widget.setChart(example()); // new data while zoomed in
    QCOMPARE(widget.view(), first);
    QTest::mouseDClick(&widget, Qt::LeftButton, {}, { 200, 80 });
    QCOMPARE(widget.view(), whole);
}

void TestChartExport::the_read_out_is_reached_by_keyboard()
{
    ChartWidget widget;
    widget.resize(700, 360);
    widget.setChart(example());
    QTest::keyClick(&widget, Qt::Key_Right);
    QCOMPARE(widget.readout().value(), (PointRef { 0, 0 }));
    QTest::keyClick(&widget, Qt::Key_Right);
    QTest::keyClick(&widget, Qt::Key_Down);
    QCOMPARE(widget.readout().value(), (PointRef { 1, 1 }));
    widget.setChart({}); // data gone: no read-out of what is not there
    QVERIFY(!widget.readout());
    QTest::keyClick(&widget, Qt::Key_Right);
    QVERIFY(!widget.readout());
    QVERIFY(!widget.grab().isNull());
}

void TestChartExport::charts_are_described_in_words()
{
    ChartWidget widget;
    Chart chart = example();
    chart.warning = "Audit: baseline fails.";
    widget.setChart(chart);
    QCOMPARE(widget.accessibleName(), QString("Perplexity against sparsity"));
    for (const char* words : { "baseline fails", "H2O", "20.52 at 90%", "dense 15.00" })
        QVERIFY2(widget.accessibleDescription().contains(words), qPrintable(widget.accessibleDescription()));
}

void TestChartExport::nearest_point_needs_to_be_near()
{
    const Chart chart = example();
    const ChartLayout layout = layoutChart(chart, fullView(chart), chartStyle(false), QRectF(0, 0, 700, 360), false);
    const QPointF at = positionOf(chart, layout, { 1, 2 });
    QCOMPARE(nearestPoint(chart, layout, at + QPointF(2, -1), 30).value(), (PointRef { 1, 2 }));
    QVERIFY(!nearestPoint(chart, layout, at + QPointF(-60, 0), 30));
}

KEEPSET_TEST(TestChartExport)
#include "tst_chart_export.moc"
