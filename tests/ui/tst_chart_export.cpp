#include "tests/support/test_main.h"
#include "ui/chart_export.h"
#include "ui/charts/chart_view.h"
#include "ui/csv.h"
#include "ui/theme.h"

#include <QPainter>
#include <QSignalSpy>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QtTest>

#include <csignal>
#include <sys/resource.h>

using namespace keepset::ui;
using namespace keepset::ui::charts;

namespace {

ChartData example()
{
    ChartData data;
    data.title = "Perplexity against sparsity";
    data.subtitle = "demo.txt";
    data.x = { "Sparsity (share of the context evicted)", "sparsity", AxisScale::linear, NumberFormat::percent };
    data.y = { "Perplexity (log)", "perplexity", AxisScale::log, NumberFormat::plain };
    const auto looks = plot::methodStyles({ "h2o", "cab" });
    data.series = { { "h2o", "H2O", { { 0, 15, 15, 15 }, { 0.5, 16.5, 16, 17 }, { 0.9, 20.52, 19, 22 } }, looks[0],
                        {} },
        { "cab(local=0.3,bridge=flow)", "CAB, \"flow\"", { { 0, 15 }, { 0.5, 16.4 }, { 0.9, 21.07 } }, looks[1], {} } };
    data.references = { { "dense", 15, "dense 15.00" } };
    data.intervals = "paired_to_dense";
    return data;
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
    void what_leaves_the_plot_is_cut_off_in_every_format_data();
    void what_leaves_the_plot_is_cut_off_in_every_format();
    void pdf_is_one_page_with_fonts();
    void csv_quotes_and_keeps_full_precision();
    void csv_says_of_what_it_is_in_its_last_columns();
    void what_cannot_be_written_is_said_in_a_sentence();
    void a_full_disk_leaves_the_old_file_data();
    void a_full_disk_leaves_the_old_file();
    void an_unknown_suffix_is_refused();

private:
    QTemporaryDir folder_;
};

void TestChartExport::png_is_twice_the_size_and_on_white()
{
    ChartView widget;
    widget.resize(700, 360);
    widget.setData(example());
    const QString path = folder_.filePath("chart.png");
    QVERIFY(!exportChart(widget, path));
    const QImage image(path);
    QVERIFY(image.width() >= widget.exportSize().width() * 2 && image.height() > widget.exportSize().height() * 2);
    QCOMPARE(image.pixelColor(2, 2), QColor(Qt::white));
}

void TestChartExport::svg_has_its_text_as_text()
{
    ChartView widget;
    widget.setData(example());
    const QString path = folder_.filePath("chart.svg");
    QVERIFY(!exportChart(widget, path));
    const QByteArray svg = contents(path);
    for (const char* words : { "Perplexity against sparsity", "dense 15.00", "H2O", "80%", "<svg" })
        QVERIFY2(svg.contains(words), words);
    QVERIFY(!svg.contains("<image"));
}

void TestChartExport::what_leaves_the_plot_is_cut_off_in_every_format_data()
{
    QTest::addColumn<QString>("suffix");
    for (const char* suffix : { "png", "svg" })
        QTest::newRow(suffix) << suffix;
}

void TestChartExport::what_leaves_the_plot_is_cut_off_in_every_format()
{
    QFETCH(QString, suffix);
    ChartView widget;
    ChartData data = example();
    data.series[0].points[2].high = 1000; // far above the plot
    data.series[1].points[2].y = 90;
    data.series[1].look.light = Qt::magenta;
    widget.setData(data);
    widget.setRange({ { 0.4, 0.8 }, { 1.2, 1.3 } }); // and a line that goes on at both sides
    const QString path = folder_.filePath("cut." + suffix);
    QVERIFY(!exportChart(widget, path));
    QImage image(path);
    if (suffix == "svg") {
        QSvgRenderer renderer(path);
        image = QImage(renderer.defaultSize() * 2, QImage::Format_RGB32);
        image.fill(Qt::white);
        QPainter painter(&image);
        renderer.render(&painter);
    }
    const auto colored = [&](int left, int top, int width, int height) {
        for (int y = top; y < top + height; ++y) {
            for (int x = left; x < left + width; ++x) {
                if (const QColor color = image.pixelColor(x, y); color.hslSaturation() > 60 && color.lightness() < 250)
                    return true;
            }
        }
        return false;
    };
    QVERIFY(colored(0, 0, image.width(), image.height()));
    QVERIFY(!colored(0, 0, image.width(), 90)); // title and muted words
    QVERIFY(!colored(0, image.height() - 90, image.width(), 90)); // below the axis
    QVERIFY(!colored(image.width() - 40, 0, 40, image.height()));
    QVERIFY(!colored(0, 0, 60, image.height()));
}

void TestChartExport::pdf_is_one_page_with_fonts()
{
    ChartView widget;
    widget.setData(example());
    const QString path = folder_.filePath("chart.pdf");
    QVERIFY(!exportChart(widget, path));
    const QByteArray pdf = contents(path);
    QVERIFY(pdf.startsWith("%PDF-"));
    QCOMPARE(pdf.count("/Type /Page\n"), 1);
    QVERIFY(pdf.contains("/Type /Font"));
}

void TestChartExport::csv_quotes_and_keeps_full_precision()
{
    ChartData data = example();
    data.series[0].points[1].y = 1.0 / 3;
    data.series[0].points[2].x = 0.8;
    ChartView widget;
    widget.setData(data);
    const QString path = folder_.filePath("chart.csv");
    QVERIFY(!exportChart(widget, path));
    const QList<QByteArray> lines = contents(path).split('\n');
    QCOMPARE(lines[0], QByteArray("policy,sparsity,perplexity,ci_low_paired_to_dense,ci_high_paired_to_dense\r"));
    QCOMPARE(lines[2].split(',')[2].toDouble(), 1.0 / 3);
    QCOMPARE(lines[3], QByteArray("h2o,0.8,20.52,19,22\r"));
    QCOMPARE(lines[4], QByteArray("\"cab(local=0.3,bridge=flow)\",0,15,,\r"));
    QCOMPARE(lines[7], QByteArray("dense,0,15,,\r"));
}

void TestChartExport::csv_says_of_what_it_is_in_its_last_columns()
{
    ChartView widget;
    widget.setData(example());
    Shown shown;
    shown.source = Shown::Source::run;
    shown.model = "a-model";
    shown.text = "a, \"text\".txt";
    shown.context = "windows of 1,024 + 256";
    widget.setShown(shown);
    const QString path = folder_.filePath("chart.csv");
    QVERIFY(!exportChart(widget, path));
    const QList<QByteArray> lines = contents(path).trimmed().split('\n');
    QVERIFY2(lines[0].endsWith(",model,text,provenance\r"), lines[0]);
    for (const QByteArray& line : lines.mid(1))
        QVERIFY2(
            line.trimmed().endsWith(",a-model,\"a, \"\"text\"\".txt\",\"a-model · a, \"\"text\"\".txt · windows of "
                                    "1,024 + 256\""),
            line);
    // A map has a row a cell: its first says it. What is quoted may hold line breaks.
    QCOMPARE(csvWithColumns("a,b\r\n1,\"x\r\ny\"\r\n2,\"\"\"\"\r\n", { "of" }, { "me" }, false),
        QString("a,b,of\r\n1,\"x\r\ny\",me\r\n2,\"\"\"\",\r\n"));
}

void TestChartExport::what_cannot_be_written_is_said_in_a_sentence()
{
    ChartView widget;
    widget.setData(example());
    const QString missing = folder_.filePath("no-such-folder/chart.pdf");
    const auto sentence = exportChart(widget, missing);
    QVERIFY(sentence);
    QVERIFY(sentence->contains(missing) && sentence->endsWith('.'));
    QVERIFY(QDir(folder_.path()).mkdir("folder.png"));
    QVERIFY(exportChart(widget, folder_.filePath("folder.png")));
}

void TestChartExport::a_full_disk_leaves_the_old_file_data()
{
    QTest::addColumn<QString>("suffix");
    QTest::addColumn<int>("room"); // bytes
    QTest::newRow("a picture") << "png" << 1000;
    QTest::newRow("a table, which any buffer could hold") << "csv" << 20;
}

void TestChartExport::a_full_disk_leaves_the_old_file()
{
    QFETCH(QString, suffix);
    QFETCH(int, room);
    // A limit on the size of files makes writes fail half way, as a full disk does.
    const QString path = folder_.filePath("kept." + suffix);
    ChartView widget;
    widget.setData(example());
    QVERIFY(!exportChart(widget, path));
    const QByteArray before = contents(path);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old {};
    QCOMPARE(getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlimit small { static_cast<rlim_t>(room), old.rlim_max };
    QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto sentence = exportChart(widget, path);
    QCOMPARE(setrlimit(RLIMIT_FSIZE, &old), 0);
    QVERIFY(sentence);
    QVERIFY(sentence->contains(path));
    QVERIFY2(sentence->contains("File too large"), qPrintable(*sentence)); // as the system calls it
    QCOMPARE(contents(path), before);
}

void TestChartExport::an_unknown_suffix_is_refused()
{
    ChartView widget;
    for (const char* name : { "chart.bmp", "chart" }) {
        const auto sentence = exportChart(widget, folder_.filePath(name));
        QVERIFY(sentence && sentence->contains(".svg"));
        QVERIFY(!QFile::exists(folder_.filePath(name)));
    }
}

KEEPSET_TEST(TestChartExport)
#include "tst_chart_export.moc"
