#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "tests/ui/window_fixture.h"
#include "ui/chart_export.h"
#include "ui/csv.h"
#include "ui/exporter.h"
#include "ui/pages/heatmap_page.h"
#include "ui/pages/sweep_page.h"
#include "ui/plot/heatmap_widget.h"
#include "ui/selection_state.h"

#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QMenu>
#include <QSignalSpy>
#include <QTimer>
#include <QToolButton>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// What the next question about a file offers; it is answered with `answer`.
struct Question {
    QString proposed;
    QStringList filters;
    int asked = 0;
};
void answerNext(Question& question, const QString& answer)
{
    QTimer::singleShot(0, qApp, [&question, answer] {
        auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
        QVERIFY(dialog);
        question.proposed = QFileInfo(dialog->selectedFiles().value(0)).fileName();
        question.filters = dialog->nameFilters();
        ++question.asked;
        dialog->selectFile(answer);
        static_cast<QDialog*>(dialog)->accept();
    });
}

} // namespace

class TestExporter : public fixture::WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        WindowTest::initTestCase();
        QCoreApplication::setAttribute(Qt::AA_DontUseNativeDialogs);
    }

    void charts_that_show_nothing_are_disabled()
    {
        SelectionState selection;
        SweepPage page(&selection);
        Exporter exporter(&page);
        for (const Exportable* chart : page.exportables())
            exporter.add(chart);
        QMenu menu;
        exporter.fillMenu(&menu);
        QCOMPARE(menu.actions().size(), 2);
        QVERIFY(!menu.actions()[0]->isEnabled() && !menu.actions()[1]->isEnabled());
        exporter.writeAll(in({}), "svg");
        QVERIFY(!QFile::exists(in("perplexity.svg")));
        page.setRun(test::plausibleRun());
        Q_EMIT menu.aboutToShow();
        QVERIFY(menu.actions()[0]->isEnabled() && menu.actions()[1]->isEnabled());
        QCOMPARE(menu.actions()[1]->text(), QString("Difference to H2O …"));
        exporter.writeAll(in({}), "svg");
        QVERIFY(QFile::exists(in("perplexity.svg")) && QFile::exists(in("difference.svg")));
    }

    void menu_and_button_ask_alike_and_say_where_it_went()
    {
        SelectionState selection;
        SweepPage page(&selection);
        page.setRun(test::plausibleRun());
        page.show();
        Exporter exporter(&page);
        for (const Exportable* chart : page.exportables())
            exporter.add(chart);
        connect(&page, &SweepPage::exportRequested, &exporter, &Exporter::ask);
        QMenu menu;
        exporter.fillMenu(&menu);
        QSignalSpy exported(&exporter, &Exporter::exported);
        Question first;
        answerNext(first, in("a.csv"));
        menu.actions()[0]->trigger();
        Question second;
        answerNext(second, in("b")); // no suffix: that of the chosen format
        auto* button = page.findChild<QToolButton*>("sweepExport");
        QVERIFY(button);
        button->click();
        QCOMPARE(first.asked + second.asked, 2);
        QCOMPARE(first.proposed, QString("perplexity.png"));
        QCOMPARE(second.proposed, first.proposed);
        QCOMPARE(second.filters, first.filters);
        QCOMPARE(first.filters.size(), 4);
        QCOMPARE(exported.count(), 2);
        QCOMPARE(exported[0][0].toString(), in("a.csv"));
        QVERIFY(QFile::exists(in("b.png")));
    }

    void a_picture_can_be_copied_by_menu_and_button()
    {
        SelectionState selection;
        SweepPage page(&selection);
        Exporter exporter(&page);
        for (const Exportable* chart : page.exportables())
            exporter.add(chart);
        connect(&page, &SweepPage::copyRequested, &exporter, &Exporter::copy);
        QMenu menu;
        exporter.fillCopyMenu(&menu);
        QSignalSpy copied(&exporter, &Exporter::copied);
        auto* button = page.findChild<QToolButton*>("sweepCopyPicture");
        QVERIFY(button);
        QApplication::clipboard()->setText("before");
        button->click(); // there is nothing yet
        QCOMPARE(QApplication::clipboard()->text(), QString("before"));
        QVERIFY(!menu.actions()[0]->isEnabled());
        page.setRun(test::plausibleRun());
        Q_EMIT menu.aboutToShow();
        button->click();
        const QString path = in("copied.png");
        QVERIFY(!exportChart(*page.exportables()[0], path));
        const QImage file(path);
        QCOMPARE(QApplication::clipboard()->image().size(), file.size());
        QVERIFY(QApplication::clipboard()->image().convertToFormat(file.format()) == file);
        QVERIFY(menu.actions()[1]->isEnabled());
        menu.actions()[1]->trigger();
        QVERIFY(!exportChart(*page.exportables()[1], path));
        QVERIFY(QApplication::clipboard()->image().convertToFormat(file.format()) == QImage(path));
        QCOMPARE(copied.count(), 2);
        QCOMPARE(copied[1][0].toString(), page.exportables()[1]->exportTitle());
    }

    void what_goes_wrong_is_said()
    {
        SelectionState selection;
        SweepPage page(&selection);
        page.setRun(test::plausibleRun());
        Exporter exporter(&page);
        exporter.add(page.exportables()[0]);
        QSignalSpy failed(&exporter, &Exporter::failed);
        exporter.writeAll("/no/such/folder", "pdf");
        QCOMPARE(failed.count(), 1);
        QVERIFY(failed[0][0].toString().contains("/no/such/folder/perplexity.pdf"));
    }

    void a_heatmap_in_a_pdf_keeps_every_pixel()
    {
        SelectionState selection;
        HeatmapPage page(&selection);
        page.resize(800, 600);
        QSignalSpy ready(&page, &HeatmapPage::mapsReady);
        page.setAnalysis(test::plausibleAnalysis(4, 3, 200));
        QVERIFY(ready.wait() || ready.count() > 0);
        const QString path = in("map.pdf");
        QVERIFY(!exportChart(*page.exportables()[0], path));
        const QByteArray pdf = contents(path);
        QVERIFY(pdf.contains("/Subtype /Image"));
        QVERIFY(!pdf.contains("DCTDecode")); // JPEG
    }

    void numbers_in_tables_are_short_and_exact()
    {
        QCOMPARE(csvNumber(0.8), QString("0.8"));
        QCOMPARE(csvNumber(0.8F), QString("0.8"));
        QCOMPARE(csvNumber(1.0 / 3).toDouble(), 1.0 / 3);
        QCOMPARE(csvNumber(std::nan("")), QString());
        QCOMPARE(csvField("a,\"b\""), QString("\"a,\"\"b\"\"\""));
        QCOMPARE(csvField("plain"), QString("plain"));
    }
};

KEEPSET_TEST(TestExporter)
#include "tst_exporter.moc"
