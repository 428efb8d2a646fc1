#include "core/engine.h"
#include "ui/exporter.h"
#include "ui/importance_strip.h"
#include "ui/main_window.h"
#include "ui/pages/attention_page.h"
#include "ui/pages/audit_page.h"
#include "ui/pages/heatmap_page.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/shown_state.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/error_bar.h"
#include "ui/widgets/shown_line.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>
#include <QTabWidget>

namespace keepset::ui {

void MainWindow::buildPages()
{
    tokensPage_ = new TokensPage(selection_, rows_, tabs_);
    heatmapPage_ = new HeatmapPage(selection_, tabs_);
    attentionPage_ = new AttentionPage(selection_, session_, tabs_);
    sweepPage_ = new SweepPage(selection_, tabs_);
    auditPage_ = new AuditPage(tabs_);
    tabs_->addTab(tokensPage_, tr("Tokens"));
    tabs_->addTab(heatmapPage_, tr("Heatmap"));
    tabs_->addTab(attentionPage_, tr("Attention"));
    tabs_->addTab(sweepPage_, tr("Sweep"));
    tabs_->addTab(auditPage_, tr("Audit"));
    connectExports();
}

void MainWindow::connectExports()
{
    exporter_ = new Exporter(this);
    exporter_->add(tokensPage_->strip());
    const auto offer = [this](const auto* page) {
        for (const Exportable* chart : page->exportables())
            exporter_->add(chart);
        connect(page, &std::remove_pointer_t<decltype(page)>::exportRequested, exporter_, &Exporter::ask);
    };
    offer(heatmapPage_);
    offer(attentionPage_);
    offer(sweepPage_);
    connect(exporter_, &Exporter::failed, this, [this](const QString& sentence) { errorBar_->show(sentence, {}); });
    connect(exporter_, &Exporter::exported, this,
        [this](const QString& path) { message_->setWords(tr("exported to %1").arg(path)); });
}

void MainWindow::connectPages()
{
    const auto complain = [this](const QString& sentence) { errorBar_->show(sentence, {}); };
    connect(tokensPage_, &TokensPage::tokenHovered, this, &MainWindow::showHover);
    connect(rows_, &RowState::selectionsChanged, this,
        [this] { heatmapPage_->setSelections(rows_->selection(0), rows_->selection(1), rows_->scopeTitle()); });
    connect(shown_, &ShownState::changed, this, &MainWindow::tellShown);
    connect(tabs_, &QTabWidget::currentChanged, this, &MainWindow::tellShown);
    const auto tell = [this](const QString& words) {
        if (!busy_)
            message_->setWords(words);
    };
    connect(heatmapPage_, &HeatmapPage::hovered, this, tell);
    connect(heatmapPage_, &HeatmapPage::failed, this, complain);
    connect(attentionPage_, &AttentionPage::hovered, this, tell);
    connect(sweepPage_, &SweepPage::startRequested, this, &MainWindow::sweep);
    connect(sweepPage_, &SweepPage::stopRequested, session_, [this] { session_->cancel(Session::Kind::sweep); });
    connect(sweepPage_, &SweepPage::layOverRequested, this, [this] {
        const QStringList files
            = askFiles(this, { QStringLiteral("file"), tr("Runs to lay over the chart"), tr("Runs (*.h5)") });
        for (const QString& file : files)
            session_->openForComparison(file);
    });
    connect(
        session_, &Session::comparisonReady, this, [this](const std::shared_ptr<const Run>& run, const QString& path) {
            sweepPage_->addRun(run, QFileInfo(path).completeBaseName());
        });
    connect(session_, &Session::sweepEnded, this, [this] {
        sweeping_ = false;
        sweepPage_->setBusy(false);
        updateActions();
        if (analyseWhenReady_ && tokens_)
            analyse();
    });
    connect(
        session_, &Session::errorOccurred, this, [this](const QString& sentence, const QString&, Session::Kind kind) {
            if (kind == Session::Kind::sweep)
                sweepPage_->setError(sentence);
        });
    connect(auditPage_, &AuditPage::openRequested, this, &MainWindow::chooseFile);
    connect(auditPage_, &AuditPage::lookedAtChanged, this, &MainWindow::tellShown);
    connect(auditPage_, &AuditPage::saveFailed, this, complain);
    connect(setup_, &SetupPanel::auditClicked, this, [this] { tabs_->setCurrentWidget(auditPage_); });
    sweepPage_->form()->setObstacle(tr("Open a model and a text first."));
}

void MainWindow::tellShown()
{
    const Shown analysis = shown_->analysis();
    const Shown run = shown_->run();
    setup_->setShown(analysis);
    tokensPage_->strip()->setShown(analysis);
    heatmapPage_->setShown(analysis);
    attentionPage_->setShown(analysis);
    sweepPage_->setShown(run);
    if (tabs_->currentWidget() == sweepPage_)
        shownLine_->setShown(run);
    else if (tabs_->currentWidget() == auditPage_)
        shownLine_->setShown(auditPage_->shown());
    else
        shownLine_->setShown(analysis);
}

void MainWindow::fitSweep()
{
    sweepPage_->form()->setObstacle(model_ && text_ ? QString() : tr("Open a model and a text first."));
    SweepRequest request;
    request.policies = parse_policies("dense,h2o,cab,h2o(local=0.3)");
    request.sparsities = { 0, 0.5, 0.8, 0.9, 0.95 };
    if (model_)
        fitSizes(request, *model_, tokens_);
    request.granularity = selection_->granularity();
    sweepPage_->form()->setRequest(request);
}

bool MainWindow::startSweep()
{
    tabs_->setCurrentWidget(sweepPage_);
    const auto request = sweepPage_->form()->request();
    if (!model_ || !text_ || !request)
        return false;
    sweep(*request);
    return true;
}

void MainWindow::sweep(SweepRequest request)
{
    if (!model_ || !text_)
        return;
    errorBar_->hide();
    request.text = *text_;
    request.importance = selection_->importance();
    request.gqa = selection_->gqa();
    request.offset = setup_->offset();
    request.command = "keepset (window), sweep";
    // Every window that is done is on disk, so that Go on needs nothing but this file.
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    if (QDir().mkpath(folder)) {
        request.out = (folder + QStringLiteral("/last-sweep.h5")).toStdString();
        request.force = !request.resume;
    }
    sweeping_ = true;
    tabs_->setCurrentWidget(sweepPage_);
    sweepPage_->setBusy(true);
    session_->sweep(request);
}

void MainWindow::showRun(const std::shared_ptr<const Run>& run, bool finished)
{
    sweepPage_->setRun(run, finished);
    shown_->takeRun(run, session_->runFile());
    if (finished && !run->audit.checks.empty())
        auditPage_->setReport(AuditPage::Of::sweep, run->audit, shown_->run());
    if (finished) {
        message_->setWords(tr("%1 of %2 windows done").arg(run->windows_done()).arg(run->windows_of_shard()));
        if (!session_->analysis())
            tabs_->setCurrentWidget(sweepPage_);
    }
    updateActions();
}

void MainWindow::showTable(const AuditReport& report, const QString& file)
{
    Shown table;
    table.source = Shown::Source::table;
    table.file = file;
    auditPage_->setReport(AuditPage::Of::table, report, table);
    tabs_->setCurrentWidget(auditPage_);
}

} // namespace keepset::ui
