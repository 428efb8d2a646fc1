#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/table_chart.h"
#include "ui/pages/audit_page.h"
#include "ui/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QToolButton>
#include <QtTest>

using namespace keepset;
using namespace keepset::ui;

namespace {

Shown of(const char* file)
{
    Shown shown;
    shown.source = Shown::Source::table;
    shown.file = QLatin1String(file);
    return shown;
}

ImportedTable faulty()
{
    return import_table(QStringLiteral(KEEPSET_SOURCE_DIR "/resources/examples/published-faulty.csv").toStdString());
}

} // namespace

class TestAuditPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }
    void every_check_has_a_sign_a_word_and_its_detail();
    void the_published_faulty_table_is_refused_in_words();
    void a_new_report_replaces_the_old();
    void what_is_shown_and_a_table_have_reports_of_their_own();
    void a_table_has_its_curves_with_the_faults_on_them();
    void open_is_a_signal();
    void pictures();
};

void TestAuditPage::every_check_has_a_sign_a_word_and_its_detail()
{
    AuditPage page;
    page.setReport(AuditPage::Of::sweep,
        { { { "mass", CheckStatus::pass, "Sums are right." }, { "monotone", CheckStatus::warning, "It falls." },
            { "finite", CheckStatus::fail, "There is a NaN." },
            { "distinct", CheckStatus::undecided, "It cannot be told." },
            { "baseline", CheckStatus::not_applicable, "No dense point." } } },
        of("run.h5"));
    const std::pair<const char*, const char*> expected[] = { { "check-mass", "pass" }, { "check-monotone", "warning" },
        { "check-finite", "fail" }, { "check-distinct", "undecided" }, { "check-baseline", "not checked" } };
    for (const auto& [name, word] : expected) {
        auto* row = page.findChild<QWidget*>(name);
        QVERIFY2(row, name);
        QVERIFY(row->accessibleName().endsWith(word));
        const auto labels = row->findChildren<QLabel*>();
        QCOMPARE(labels.size(), 3);
        QVERIFY(labels[0]->text().contains(word) && labels[0]->text().size() > QString(word).size() + 2);
    }
    QVERIFY(page.findChild<QLabel*>("auditVerdict")->text().startsWith("1 check"));
    QVERIFY(page.reportText().contains("finite: fail: There is a NaN."));
}

void TestAuditPage::the_published_faulty_table_is_refused_in_words()
{
    AuditPage page;
    ImportedTable table { "published.csv",
        { { "dense", 0, 8.77 }, { "cab", 0, 79.29 }, { "h2o", 0, 79.29 }, { "cab", 0.5, 82.66 }, { "h2o", 0.5, 82.66 },
            { "cab", 0.9, 212.67 }, { "h2o", 0.9, 212.67 } } };
    page.setReport(AuditPage::Of::table, audit(table), of("published.csv"));
    for (const char* name : { "check-baseline", "check-distinct" }) {
        auto* row = page.findChild<QWidget*>(name);
        QVERIFY2(row && row->accessibleName().endsWith("fail"), name);
        QVERIFY(!row->accessibleDescription().isEmpty());
    }
    QVERIFY(page.findChild<QLabel*>("auditVerdict")->text().contains("must not be believed"));
}

void TestAuditPage::a_new_report_replaces_the_old()
{
    AuditPage page;
    page.setReport(AuditPage::Of::table, { { { "mass", CheckStatus::fail, "no" } } }, of("a"));
    page.setReport(AuditPage::Of::table, { { { "finite", CheckStatus::pass, "yes" } } }, of("b"));
    QVERIFY(!page.findChild<QWidget*>("check-mass"));
    QVERIFY(page.findChild<QWidget*>("check-finite"));
    page.setReport(AuditPage::Of::table, {}, {});
    QVERIFY(page.findChild<QLabel*>("auditVerdict")->text().startsWith("Nothing to audit"));
}

void TestAuditPage::what_is_shown_and_a_table_have_reports_of_their_own()
{
    AuditPage page;
    page.setReport(AuditPage::Of::analysis, { { { "mass", CheckStatus::pass, "Sums are right." } } }, of("demo.txt"));
    auto* choice = page.findChild<QComboBox*>("auditOf");
    QVERIFY(choice->isHidden());
    page.setReport(AuditPage::Of::table, { { { "baseline", CheckStatus::fail, "no" } } }, of("published.csv"));
    QCOMPARE(choice->count(), 2);
    QVERIFY(choice->currentText().contains("published.csv"));
    page.setReport(AuditPage::Of::analysis, { { { "finite", CheckStatus::pass, "yes" } } }, of("other.txt"));
    QVERIFY(page.reportText().startsWith("published.csv")); // a new analysis takes nothing away
    choice->setCurrentIndex(0);
    Q_EMIT choice->activated(0);
    QVERIFY(page.reportText().startsWith("other.txt"));
    page.findChild<QToolButton*>("auditCopy")->click();
    QCOMPARE(QGuiApplication::clipboard()->text(), page.reportText());
}

void TestAuditPage::a_table_has_its_curves_with_the_faults_on_them()
{
    AuditPage page;
    page.resize(892, 620);
    auto* chart = page.findChild<charts::ChartView*>("auditChart");
    auto* save = page.findChild<QToolButton*>("auditExport");
    page.setReport(AuditPage::Of::analysis, { { { "mass", CheckStatus::pass, "Sums are right." } } }, of("demo.txt"));
    QVERIFY(chart->isHidden() && save->isHidden()); // an analysis has none
    const ImportedTable table = faulty();
    page.setReport(
        AuditPage::Of::table, audit(table), of("published-faulty.csv"), charts::tableChart(table, audit(table)));
    QVERIFY(!chart->isHidden() && !save->isHidden());
    QCOMPARE(chart->data().series.size(), std::size_t { 2 });
    QCOMPARE(chart->data().series[0].points.size(), std::size_t { 3 });
    QCOMPARE(chart->data().series[0].points[2].y, 212.67);
    QCOMPARE(chart->data().references[0].value, 8.77);
    QVERIFY(chart->data().warning.contains("baseline") && chart->data().warning.contains("distinct"));
    QCOMPARE(chart->data().faults.size(), std::size_t { 6 }); // both methods at all sparsities
    QVERIFY(charts::describe(chart->data()).contains("baseline"));
    const QImage with = chart->grab().toImage();
    charts::ChartData clean = chart->data();
    clean.faults.clear();
    chart->setData(clean);
    QVERIFY(with != chart->grab().toImage()); // they are painted
    QSignalSpy spy(&page, &AuditPage::exportRequested);
    save->click();
    QCOMPARE(spy.count(), 1);
    QCOMPARE(page.exportables().size(), std::size_t { 1 });
    auto* choice = page.findChild<QComboBox*>("auditOf");
    choice->setCurrentIndex(0);
    Q_EMIT choice->activated(0);
    QVERIFY(chart->isHidden());
}

void TestAuditPage::open_is_a_signal()
{
    AuditPage page;
    QSignalSpy spy(&page, &AuditPage::openRequested);
    page.findChild<QPushButton*>("auditOpen")->click();
    QCOMPARE(spy.count(), 1);
}

void TestAuditPage::pictures()
{
    AuditPage page;
    page.resize(892, 620);
    test::savePictures(page, "audit-empty");
    page.setReport(AuditPage::Of::sweep, audit(*test::plausibleRun()), shownOf(*test::plausibleRun()));
    test::savePictures(page, "audit-run");
    const ImportedTable table = faulty();
    page.setReport(
        AuditPage::Of::table, audit(table), of("published-faulty.csv"), charts::tableChart(table, audit(table)));
    test::savePictures(page, "audit-faulty");
    QVERIFY(!page.reportText().isEmpty());
}

KEEPSET_TEST(TestAuditPage)
#include "tst_audit_page.moc"
