#include "core/engine.h"
#include "tests/support/test_main.h"
#include "tests/ui/plausible.h"
#include "ui/charts/chart_view.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"
#include "ui/pages/sweep_table.h"
#include "ui/selection_state.h"
#include "ui/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include <set>

using namespace keepset;
using namespace keepset::ui;
using namespace keepset::ui::charts;

Q_DECLARE_METATYPE(keepset::SweepRequest)

class TestSweepPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { installTheme(*qApp, Appearance::light); }
    void start_asks_for_the_preset_with_its_control();
    void errors_of_fields_are_said_beside_them_and_stop_the_start();
    void errors_of_fields_are_said_beside_them_and_stop_the_start_data();
    void the_proposed_sizes_fit_the_model_and_the_text();
    void the_proposed_sizes_fit_the_model_and_the_text_data();
    void token_drop_needs_one_keep_set();
    void a_partial_run_offers_to_go_on();
    void the_focus_goes_to_the_button_that_takes_the_place();
    void a_proposal_leaves_what_the_user_typed();
    void a_proposal_leaves_marked_what_is_to_be_typed_over();
    void runs_laid_over_say_what_differs_or_are_refused();
    void the_band_is_the_paired_interval_around_the_curve();
    void a_loss_that_is_not_finite_is_said_on_the_difference_chart();
    void the_ratio_view_divides_by_dense();
    void methods_differ_in_colour_and_shape();
    void the_difference_chart_follows_the_reference();
    void the_table_has_every_method_and_copies();
    void a_failing_audit_stands_on_the_charts_and_their_exports();
    void earlier_runs_are_dashed_and_can_be_removed();
    void a_click_on_a_point_is_looked_at_on_the_other_pages();
    void what_a_run_holds_can_be_chosen_and_is_chosen_again();
    void every_export_says_of_what_it_is();
    void every_band_is_drawn_on_demand();
    void no_control_stands_alone_on_a_line_of_its_own();
    void a_run_of_many_methods_fits_by_scrolling();
    void pictures_of_every_state();

private:
    SelectionState selection_;
};

void TestSweepPage::start_asks_for_the_preset_with_its_control()
{
    SweepPage page(&selection_);
    QSignalSpy spy(page.form(), &SweepForm::startRequested);
    QTest::mouseClick(page.findChild<QPushButton*>("sweepStart"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    const auto request = spy[0][0].value<SweepRequest>();
    QCOMPARE(request.policies, parse_policies("dense,h2o,cab,h2o(local=0.3),random(sink=4,recent=0.1)"));
    QCOMPARE(request.sparsities, (std::vector<double> { 0, 0.5, 0.8, 0.9, 0.95 }));
    QCOMPARE(request.granularity, Granularity::head);
    QVERIFY(!request.resume);
}

void TestSweepPage::the_proposed_sizes_fit_the_model_and_the_text_data()
{
    QTest::addColumn<int>("positions"); // 0: as many as wanted
    QTest::addColumn<int>("tokens"); // -1: not counted yet
    QTest::addColumn<int>("context");
    QTest::addColumn<int>("target");
    QTest::newRow("long model, long text") << 131072 << 100000 << 1024 << 256;
    QTest::newRow("1024 positions (gpt2)") << 1024 << 100000 << 512 << 128;
    QTest::newRow("just enough positions") << 1280 << 100000 << 1024 << 256;
    QTest::newRow("positions without end") << 0 << 100000 << 1024 << 256;
    QTest::newRow("text not counted") << 1024 << -1 << 512 << 128;
    QTest::newRow("short text") << 131072 << 1674 << 256 << 64;
    QTest::newRow("both") << 128 << 1674 << 64 << 16;
    QTest::newRow("nothing fits") << 8 << 3 << 64 << 16;
}

void TestSweepPage::the_proposed_sizes_fit_the_model_and_the_text()
{
    QFETCH(int, positions);
    QFETCH(int, tokens);
    ModelInfo model;
    model.max_context = positions > 0 ? positions : 1;
    model.endless = positions == 0;
    SweepRequest request;
    fitSizes(request, model, tokens < 0 ? std::nullopt : std::optional<std::int64_t>(tokens));
    QTEST(static_cast<int>(request.context), "context");
    QTEST(static_cast<int>(request.target), "target");
}

void TestSweepPage::errors_of_fields_are_said_beside_them_and_stop_the_start_data()
{
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("text");
    QTest::newRow("unknown policy") << "sweepPolicies"
                                    << "dense, h3o";
    QTest::newRow("unknown parameter") << "sweepPolicies"
                                       << "h2o(lokal=0.3)";
    QTest::newRow("open parenthesis") << "sweepPolicies"
                                      << "cab(local=0.3";
    QTest::newRow("empty") << "sweepPolicies"
                           << "";
    QTest::newRow("share of one") << "sweepSparsities"
                                  << "0, 1";
    QTest::newRow("no number") << "sweepSparsities"
                               << "0; 0.5";
}

void TestSweepPage::errors_of_fields_are_said_beside_them_and_stop_the_start()
{
    QFETCH(QString, field);
    QFETCH(QString, text);
    SweepPage page(&selection_);
    auto* edit = page.findChild<QLineEdit*>(field);
    const QString before = edit->text();
    edit->setText(text);
    auto* error = page.findChild<QLabel*>("sweepError");
    QVERIFY(error->isVisibleTo(&page) && !error->text().isEmpty());
    QVERIFY(!page.findChild<QPushButton*>("sweepStart")->isEnabled());
    QVERIFY(!page.form()->request());
    edit->setText(before);
    QVERIFY(!error->isVisibleTo(&page));
    QVERIFY(page.findChild<QPushButton*>("sweepStart")->isEnabled());
}

void TestSweepPage::token_drop_needs_one_keep_set()
{
    SweepPage page(&selection_);
    page.findChild<QComboBox*>("sweepProtocol")->setCurrentIndex(1);
    QVERIFY(!page.findChild<QPushButton*>("sweepStart")->isEnabled());
    SweepRequest request = page.form()->request().value();
    request.granularity = Granularity::model;
    page.form()->setRequest(request);
    QVERIFY(page.findChild<QPushButton*>("sweepStart")->isEnabled());
}

void TestSweepPage::a_partial_run_offers_to_go_on()
{
    SweepPage page(&selection_);
    auto* goOn = page.findChild<QPushButton*>("sweepGoOn");
    auto* stop = page.findChild<QPushButton*>("sweepStop");
    auto* pause = page.findChild<QPushButton*>("sweepPause");
    auto* state = page.findChild<QLabel*>("sweepState");
    QSignalSpy wentOn(page.form(), &SweepForm::goOnRequested);
    QSignalSpy stopped(page.form(), &SweepForm::stopRequested);
    page.setSweeping(true);
    page.setRun(test::plausibleRun(3), SweepPage::Activity::running);
    QVERIFY(stop->isVisibleTo(&page) && pause->isVisibleTo(&page) && !goOn->isVisibleTo(&page));
    QCOMPARE(state->text(), QString::fromUtf8("● running, 3 of 8 windows"));
    stop->click();
    QCOMPARE(stopped.count(), 1);
    page.setSweeping(false);
    page.setActivity(SweepPage::Activity::none);
    QVERIFY(goOn->isVisibleTo(&page));
    QCOMPARE(state->text(), QString("stopped, 3 of 8 windows"));
    goOn->click();
    QCOMPARE(wentOn.count(), 1);
    page.setRun(test::plausibleRun(3), SweepPage::Activity::following);
    QVERIFY(!goOn->isVisibleTo(&page));
    QCOMPARE(state->text(), QString::fromUtf8("● following, window 3 of 8"));
    page.setRun(test::plausibleRun(8));
    QVERIFY(!goOn->isVisibleTo(&page) && !stop->isVisibleTo(&page));
}

void TestSweepPage::the_focus_goes_to_the_button_that_takes_the_place()
{
    SweepForm form;
    form.setObstacle({});
    form.show();
    form.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&form));
    const auto* start = form.findChild<QPushButton*>(QStringLiteral("sweepStart"));
    auto* stop = form.findChild<QPushButton*>(QStringLiteral("sweepStop"));
    form.findChild<QPushButton*>(QStringLiteral("sweepStart"))->setFocus();
    form.setState(true, false);
    QVERIFY(form.findChild<QPushButton*>(QStringLiteral("sweepPause"))->hasFocus());
    stop->setFocus();
    form.setState(true, true); // the next window is done
    QVERIFY(stop->hasFocus());
    form.setState(false, true);
    QVERIFY(start->hasFocus());
}

void TestSweepPage::a_proposal_leaves_what_the_user_typed()
{
    SweepForm form;
    SweepRequest first = form.request().value();
    first.windows = 12;
    form.propose(first);
    QCOMPARE(form.request()->windows, std::int64_t { 12 });
    form.findChild<QLineEdit*>("sweepPolicies")->setText("dense, recent");
    form.findChild<QSpinBox*>("sweepContext")->setValue(333);
    SweepRequest second = first;
    second.windows = 5;
    second.context = 512;
    second.target = 128;
    form.propose(second);
    QCOMPARE(form.request()->policies, parse_policies("dense,recent"));
    QCOMPARE(form.request()->context, std::int64_t { 333 });
    QCOMPARE(form.request()->target, first.target); // belongs to the context
    QCOMPARE(form.request()->windows, std::int64_t { 5 });
}

void TestSweepPage::a_proposal_leaves_marked_what_is_to_be_typed_over()
{
    SweepForm form;
    SweepRequest request = form.request().value();
    request.windows = 12;
    form.propose(request);
    auto* windows = form.findChild<QSpinBox*>("sweepWindows");
    windows->selectAll();
    request.windows = 5; // of another text, whose tokens are counted by now
    form.propose(request);
    QCOMPARE(windows->value(), 5);
    QTest::keyClicks(windows, "31");
    QCOMPARE(windows->value(), 31);
    request.windows = 8;
    form.propose(request);
    QCOMPARE(windows->value(), 31); // the user's own
}

void TestSweepPage::runs_laid_over_say_what_differs_or_are_refused()
{
    SweepPage page(&selection_);
    const auto* notes = page.findChild<QLabel*>("sweepNotes");
    auto* chart = page.findChild<ChartView*>("perplexityChart");
    page.setRun(test::plausibleRun());
    const auto alone = chart->data().series.size();
    auto other = std::make_shared<Run>(*test::plausibleRun());
    other->context = 512;
    page.addRun(other, "short");
    QVERIFY2(notes->text().contains("short has context 512 instead of 1,024"), qPrintable(notes->text()));
    QCOMPARE(chart->data().series.size(), 2 * alone);
    auto strange = std::make_shared<Run>(*test::plausibleRun());
    strange->provenance.tokenizer_sha256 = "other";
    page.addRun(strange, "strange");
    QVERIFY2(notes->text().contains("strange is not drawn"), qPrintable(notes->text()));
    QCOMPARE(chart->data().series.size(), 2 * alone);
    page.addRun(other, "short", QColor("#0072b2")); // in the user's colour, once
    QCOMPARE(chart->data().series.size(), 2 * alone);
    QCOMPARE(chart->data().series.back().look.light, QColor("#0072b2"));
    QVERIFY(chart->data().series.front().look.light != QColor("#0072b2"));
    page.removeRun("short");
    QCOMPARE(chart->data().series.size(), alone);
}

void TestSweepPage::the_band_is_the_paired_interval_around_the_curve()
{
    const auto run = test::plausibleRun();
    const ChartData chart = metricChart(*run, {}, {});
    const auto differences = paired_differences(*run, "dense");
    const auto cab
        = std::ranges::find_if(differences, [](const auto& d) { return d.policy == "cab" && d.sparsity == 0.9; });
    QVERIFY(cab != differences.end());
    QCOMPARE(chart.series[1].name, QString("CAB"));
    const ChartPoint& point = chart.series[1].points[3];
    QCOMPARE(point.x, 0.9);
    QVERIFY(std::abs(point.low / (point.y * std::exp(cab->low - cab->mean)) - 1) < 1e-12);
    QVERIFY(std::abs(point.high / (point.y * std::exp(cab->high - cab->mean)) - 1) < 1e-12);
    const ChartData early = metricChart(*test::plausibleRun(3), {}, {});
    QVERIFY(std::isnan(early.series[1].points[3].low)); // fewer than 5 windows have no interval
    QVERIFY(isEmpty(metricChart(*test::plausibleRun(0), {}, {})));
}

void TestSweepPage::a_loss_that_is_not_finite_is_said_on_the_difference_chart()
{
    Run run = *test::plausibleRun();
    QVERIFY(differenceChart(run, "h2o").warning.isEmpty());
    const auto cab = std::ranges::find_if(
        run.points, [](const SweepPoint& point) { return point.policy == "cab" && point.sparsity == 0.9; });
    const auto row = static_cast<std::size_t>(cab - run.points.begin());
    run.window_nll[row * static_cast<std::size_t>(run.windows) + 1] = not_a_number;
    const ChartData chart = differenceChart(run, "h2o");
    QVERIFY2(chart.warning.startsWith("Nothing is decided at 90%: the loss is not finite for CAB in 1 of "),
        qPrintable(chart.warning));
    QVERIFY(isEmpty(chart) == false); // what is decided stays
}

void TestSweepPage::the_ratio_view_divides_by_dense()
{
    const auto run = test::plausibleRun();
    const ChartData chart = metricChart(*run, {}, { "perplexity_ratio_to_dense", AxisScale::linear });
    QCOMPARE(chart.series[0].points[0].y, 1.0);
    QCOMPARE(chart.series[0].points[4].y, run->points[5].perplexity / run->points[0].perplexity);
    QCOMPARE(chart.references[0].value, 1.0);
}

void TestSweepPage::methods_differ_in_colour_and_shape()
{
    std::set<QRgb> colors;
    std::set<std::pair<int, bool>> shapes;
    const std::vector<std::string> known { "h2o", "cab", "h2o(local=0.3)", "streaming-llm", "recent", "random" };
    for (const plot::MethodStyle& style : plot::methodStyles(known)) {
        colors.insert(style.light.rgb());
        shapes.insert({ static_cast<int>(style.marker), style.hollow });
    }
    QCOMPARE(colors.size(), known.size());
    QCOMPARE(shapes.size(), known.size());
}

void TestSweepPage::the_difference_chart_follows_the_reference()
{
    SweepPage page(&selection_);
    page.setRun(test::plausibleRun());
    auto* chart = page.findChild<ChartView*>("differenceChart");
    auto* reference = page.findChild<QComboBox*>("sweepReference");
    QCOMPARE(reference->currentData().toString(), QString("h2o"));
    for (const auto& series : chart->data().series)
        QVERIFY(series.name != "H2O" && series.points.size() == 4);
    reference->setCurrentIndex(reference->findData("cab"));
    Q_EMIT reference->activated(reference->currentIndex());
    QVERIFY(chart->data().title.contains("CAB"));
    page.setRun(test::plausibleRun()); // a new snapshot keeps the choice
    QCOMPARE(reference->currentData().toString(), QString("cab"));
}

void TestSweepPage::the_table_has_every_method_and_copies()
{
    SweepPage page(&selection_);
    const auto run = test::plausibleRun();
    page.setRun(run);
    auto* table = page.findChild<SweepTable*>("sweepTable");
    const QStringList lines = table->text().split('\n');
    QCOMPARE(lines.size(), 7);
    QCOMPARE(lines[0], QString("method\t0%\t50%\t80%\t90%\t95%"));
    QVERIFY(lines[3].startsWith("CAB\t") && lines[3].split('\t').size() == 6);
    QCOMPARE(table->item(1, 1)->text(), valueText(run->points[1].perplexity, NumberFormat::plain));
    QVERIFY(table->item(1, 4)->toolTip().contains("95% interval"));
    QVERIFY(!page.findChild<QLabel*>("sweepFindings")->text().isEmpty());
}

void TestSweepPage::a_failing_audit_stands_on_the_charts_and_their_exports()
{
    auto run = std::make_shared<Run>(*test::plausibleRun());
    run->audit.checks = { { "distinct", CheckStatus::fail, "CAB and H2O are identical at every sparsity." },
        { "monotone", CheckStatus::warning, "Perplexity falls from 50% to 80%." } };
    SweepPage page(&selection_);
    page.setRun(run);
    QVERIFY(page.findChild<ChartView*>("perplexityChart")->data().warning.contains("CAB and H2O are identical"));
    QVERIFY(page.findChild<QLabel*>("sweepNotes")->text().contains("falls from 50% to 80%"));
    QVERIFY(page.findChild<QLabel*>("sweepState")->text().contains("audit fails"));
    const QTemporaryDir folder;
    QVERIFY(!exportChart(*page.exportables()[0], folder.filePath("chart.svg")));
    QFile svg(folder.filePath("chart.svg"));
    QVERIFY(svg.open(QIODevice::ReadOnly));
    QVERIFY(svg.readAll().contains("CAB and H2O are identical"));
}

void TestSweepPage::earlier_runs_are_dashed_and_can_be_removed()
{
    SweepPage page(&selection_);
    page.setRun(test::plausibleRun());
    auto* chart = page.findChild<ChartView*>("perplexityChart");
    const auto alone = chart->data().series.size();
    page.addRun(test::plausibleRun(5), "tuesday.h5");
    QCOMPARE(chart->data().series.size(), 2 * alone);
    QVERIFY(!chart->data().series.back().run.isEmpty() && chart->data().series.back().name.contains("tuesday.h5"));
    page.clearEarlierRuns();
    QCOMPARE(chart->data().series.size(), alone);
}

void TestSweepPage::a_click_on_a_point_is_looked_at_on_the_other_pages()
{
    SelectionState selection;
    SweepPage page(&selection);
    auto run = std::make_shared<Run>(*test::plausibleRun());
    run->granularity = Granularity::layer;
    page.setRun(run);
    auto* chart = page.findChild<ChartView*>("perplexityChart");
    Q_EMIT chart->pointClicked("streaming-llm", 0.9);
    QCOMPARE(selection.policyA(), parse_policy("h2o"));
    QCOMPARE(selection.policyB(), parse_policy("streaming-llm"));
    QCOMPARE(selection.sparsity(), 0.9);
    QCOMPARE(selection.granularity(), Granularity::layer);
    Q_EMIT chart->pointClicked("h2o", 0.5);
    QCOMPARE(selection.policyB(), parse_policy("streaming-llm"));
    QCOMPARE(selection.sparsity(), 0.5);
    Q_EMIT chart->pointClicked("of-tomorrow", 0.8);
    QCOMPARE(selection.sparsity(), 0.5);
}

void TestSweepPage::what_a_run_holds_can_be_chosen_and_is_chosen_again()
{
    SweepPage page(&selection_);
    auto run = std::make_shared<Run>(*test::plausibleRun());
    for (SweepPoint& point : run->points) {
        point.kept_mass = 0.5;
        point.kl = not_a_number;
    }
    page.setRun(run);
    auto* quantity = page.findChild<QComboBox*>("sweepMetric");
    QVERIFY(quantity->findData("kl") < 0);
    quantity->setCurrentIndex(quantity->findData("kept_mass"));
    const ChartData& shown = page.findChild<ChartView*>("perplexityChart")->data();
    QCOMPARE(shown.y.column, QString("kept_mass"));
    QCOMPARE(shown.series[0].points[0].y, 0.5);
    QCOMPARE(page.exportables()[0]->exportName(), QString("kept-mass"));
    QCOMPARE(page.findChild<SweepTable*>("sweepTable")->item(1, 1)->text(), QString("50%"));
    page.setRun(test::plausibleRun()); // of a version that had none
    QVERIFY(quantity->findData("kept_mass") < 0);
    QCOMPARE(quantity->currentData().toString(), QString("perplexity"));
    QCOMPARE(page.findChild<ChartView*>("perplexityChart")->data().y.column, QString("perplexity"));
    page.setRun(run);
    QCOMPARE(quantity->currentData().toString(), QString("kept_mass"));
}

void TestSweepPage::every_export_says_of_what_it_is()
{
    SweepPage page(&selection_);
    page.setRun(test::plausibleRun());
    Shown shown;
    shown.model = "a-model";
    shown.text = "a-text.txt";
    page.setShown(shown);
    const QTemporaryDir folder;
    for (const Exportable* chart : page.exportables()) {
        for (const char* suffix : { "svg", "pdf", "png" }) {
            const QString path = folder.filePath(chart->exportName() + '.' + suffix);
            QVERIFY(!exportChart(*chart, path));
            if (QLatin1String(suffix) == QLatin1String("pdf"))
                continue; // its text is compressed
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray svg
                = suffix == QLatin1String("png") ? QImage(path).text("Description").toUtf8() : file.readAll();
            QVERIFY2(svg.contains("a-model") && svg.contains("a-text.txt"), qPrintable(path));
        }
    }
}

void TestSweepPage::every_band_is_drawn_on_demand()
{
    SweepPage page(&selection_);
    auto* all = page.findChild<QToolButton*>("sweepBands");
    QVERIFY(!all->isVisibleTo(&page)); // there is nothing yet that has one
    page.setRun(test::plausibleRun());
    QVERIFY(all->isVisibleTo(&page));
    const auto* chart = page.findChild<ChartView*>("perplexityChart");
    QVERIFY(!chart->plot()->isBandShown(0));
    all->click();
    QVERIFY(chart->plot()->isBandShown(0) && chart->plot()->isBandShown(4));
    page.setRun(test::plausibleRun(6)); // it stays so with the next window
    QVERIFY(chart->plot()->isBandShown(4));
}

void TestSweepPage::no_control_stands_alone_on_a_line_of_its_own()
{
    SweepPage page(&selection_);
    page.resize(892, 760);
    page.show();
    page.grab();
    page.setRun(test::plausibleRun());
    page.grab();
    const auto centre = [&](const QString& name) {
        const auto* widget = page.findChild<QWidget*>(name);
        return widget->mapTo(&page, widget->rect().center()).y();
    };
    QVERIFY(std::abs(centre("differenceExport") - centre("sweepReference")) < 8);
    QVERIFY(std::abs(centre("sweepExport") - centre("sweepMetric")) < 8);
}

void TestSweepPage::a_run_of_many_methods_fits_by_scrolling()
{
    auto run = std::make_shared<Run>(*test::plausibleRun());
    for (int i = 0; i < 12; ++i) {
        for (const double sparsity : { 0.5, 0.8 }) {
            run->points.push_back(run->points[1]);
            run->points.back().policy = "h2o(local=0." + std::to_string(10 + i) + ")";
            run->points.back().sparsity = sparsity;
            for (std::int64_t window = 0; window < run->windows; ++window)
                run->window_nll.push_back(run->window_nll[static_cast<std::size_t>(window)] * (1.01 + 0.001 * i));
        }
    }
    SweepPage page(&selection_);
    page.setRun(run);
    QVERIFY2(page.minimumSizeHint().height() < 300, qPrintable(QString::number(page.minimumSizeHint().height())));
    page.resize(700, 480);
    page.show();
    page.grab();
    auto* area = page.findChild<QScrollArea*>("sweepScroll");
    QVERIFY(area->verticalScrollBar()->maximum() > 0);
    QVERIFY(!area->horizontalScrollBar()->isVisible());
    for (const ChartView* chart : page.findChildren<ChartView*>())
        QVERIFY(chart->height() >= chart->minimumSizeHint().height());
    page.resize(900, 1040);
    page.grab();
    QCOMPARE(area->verticalScrollBar()->maximum(), 0);
}

void TestSweepPage::pictures_of_every_state()
{
    SweepPage page(&selection_);
    page.resize(892, 760);
    test::savePictures(page, "sweep-empty");
    page.setSweeping(true);
    page.setRun(test::plausibleRun(6), SweepPage::Activity::running);
    test::savePictures(page, "sweep-busy");
    page.setSweeping(false);
    page.setRun(test::plausibleRun());
    test::savePictures(page, "sweep-done");
    auto* chart = page.findChild<ChartView*>("perplexityChart");
    for (int i = 0; i < 4; ++i)
        QTest::keyClick(chart, Qt::Key_Right);
    test::savePictures(page, "sweep-readout");
    QTest::keyClick(chart, Qt::Key_Escape);
    page.addRun(test::plausibleRun(5), "tuesday");
    test::savePictures(page, "sweep-over");
    page.clearEarlierRuns();
    auto bad = std::make_shared<Run>(*test::plausibleRun());
    bad->audit.checks = { { "distinct", CheckStatus::fail,
        "CAB and H2O have identical losses at every sparsity: the policy was never applied." } };
    page.setRun(bad);
    page.setError("The device ran out of memory after window 8 of 8. Choose a shorter context or the CPU.");
    test::savePictures(page, "sweep-error");
    const QString folder = QCoreApplication::applicationDirPath() + "/../pictures/";
    for (const char* suffix : { "png", "svg", "pdf", "csv" }) {
        QVERIFY(!exportChart(*page.exportables()[0], folder + "export-perplexity." + suffix));
        QVERIFY(!exportChart(*page.exportables()[1], folder + "export-difference." + suffix));
    }
}

KEEPSET_TEST(TestSweepPage)
#include "tst_sweep_page.moc"
