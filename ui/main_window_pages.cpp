#include "core/engine.h"
#include "ui/charts/table_chart.h"
#include "ui/exporter.h"
#include "ui/format.h"
#include "ui/importance_strip.h"
#include "ui/keep_set_state.h"
#include "ui/main_window.h"
#include "ui/pages/attention_page.h"
#include "ui/pages/audit_page.h"
#include "ui/pages/heads_page.h"
#include "ui/pages/heatmap_page.h"
#include "ui/pages/sweep_page.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/plain_text.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/shown_state.h"
#include "ui/sweep_controller.h"
#include "ui/widgets/error_bar.h"
#include "ui/widgets/notice_bar.h"
#include "ui/widgets/shown_line.h"
#include "ui/widgets/status_bar.h"

#include <QDir>
#include <QLineEdit>
#include <QTabWidget>

namespace keepset::ui {

void MainWindow::buildPages()
{
    tokensPage_ = new TokensPage(selection_, rows_, keepSets_, tabs_);
    heatmapPage_ = new HeatmapPage(selection_, tabs_);
    headsPage_ = new HeadsPage(selection_, keepSets_, session_, tabs_);
    attentionPage_ = new AttentionPage(selection_, session_, tabs_);
    sweepPage_ = new SweepPage(selection_, tabs_);
    auditPage_ = new AuditPage(tabs_);
    const auto add = [this](QWidget* page, const QString& name, const QString& title) {
        page->setObjectName(name); // which it is remembered by: places and titles change
        tabs_->addTab(page, title);
    };
    add(tokensPage_, QStringLiteral("tokens"), tr("Tokens"));
    add(heatmapPage_, QStringLiteral("heatmap"), tr("Heatmap"));
    add(headsPage_, QStringLiteral("heads"), tr("Heads"));
    add(attentionPage_, QStringLiteral("attention"), tr("Attention"));
    add(sweepPage_, QStringLiteral("sweep"), tr("Sweep"));
    add(auditPage_, QStringLiteral("audit"), tr("Audit"));
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
        connect(page, &std::remove_pointer_t<decltype(page)>::copyRequested, exporter_, &Exporter::copy);
    };
    offer(heatmapPage_);
    offer(headsPage_);
    offer(attentionPage_);
    offer(sweepPage_);
    offer(auditPage_);
    connect(exporter_, &Exporter::failed, this, [this](const QString& sentence) { errorBar_->show(sentence, {}); });
    connect(
        exporter_, &Exporter::exported, this, [this](const QString& path) { report(tr("exported to %1").arg(path)); });
    connect(exporter_, &Exporter::copied, this,
        [this](const QString& title) { report(tr("copied the picture “%1”").arg(title)); });
}

void MainWindow::connectPages()
{
    const auto complain = [this](const QString& sentence) { errorBar_->show(sentence, {}); };
    connect(tokensPage_, &TokensPage::tokenHovered, this, &MainWindow::showHover);
    connect(rows_, &RowState::selectionsChanged, this, [this] {
        heatmapPage_->setSelections(rows_->selection(0), rows_->selection(1), rows_->scopeTitle());
        attentionPage_->setMarks(
            plot::marksOf(rows_->selection(0), rows_->selection(1), selection_->pins()), rows_->scopeTitle());
    });
    connect(shown_, &ShownState::changed, this, &MainWindow::tellShown);
    connect(tabs_, &QTabWidget::currentChanged, this, &MainWindow::tellShown);
    const auto tell = [this](const QString& words) {
        if (!busy_)
            status_->setMessage(words);
    };
    connect(heatmapPage_, &HeatmapPage::hovered, this, tell);
    connect(heatmapPage_, &HeatmapPage::failed, this, complain);
    connect(headsPage_, &HeadsPage::hovered, this, tell);
    connect(attentionPage_, &AttentionPage::hovered, this, tell);
    connect(auditPage_, &AuditPage::openRequested, this, &MainWindow::chooseFile);
    connect(auditPage_, &AuditPage::lookedAtChanged, this, &MainWindow::tellShown);
    connect(auditPage_, &AuditPage::saveFailed, this, complain);
    connect(setup_, &SetupPanel::auditClicked, this, [this] { tabs_->setCurrentWidget(auditPage_); });
    connectSweeps();
}

void MainWindow::tellShown()
{
    const Shown analysis = shown_->analysis();
    const Shown run = shown_->run();
    setup_->setShown(analysis);
    tokensPage_->strip()->setShown(analysis);
    heatmapPage_->setShown(analysis);
    headsPage_->setShown(analysis);
    attentionPage_->setShown(analysis);
    sweepPage_->setShown(run);
    if (tabs_->currentWidget() == sweepPage_)
        shownLine_->setShown(run);
    else if (tabs_->currentWidget() == auditPage_)
        shownLine_->setShown(auditPage_->shown());
    else
        shownLine_->setShown(analysis);
}

void MainWindow::connectSweeps()
{
    sweeps_ = new SweepController(
        session_, sweepPage_, selection_, [this] { return setup_->offset(); }, this);
    connect(sweeps_, &SweepController::shown, this, &MainWindow::showRun);
    connect(sweeps_, &SweepController::failed, errorBar_, &ErrorBar::show);
    connect(sweeps_, &SweepController::told, this, &MainWindow::report);
    connect(sweeps_, &SweepController::offered, this, [this](const QString& words) {
        noticeBar_->setNotice(words, tr("Show runs"));
        if (!words.isEmpty())
            warn(words);
    });
    connect(noticeBar_, &NoticeBar::answered, this, [this] {
        tabs_->setCurrentWidget(sweepPage_);
        sweepPage_->showRuns();
    });
    connect(sweeps_, &SweepController::pageWanted, this, [this] { tabs_->setCurrentWidget(sweepPage_); });
    connect(sweeps_, &SweepController::modelWanted, this, &MainWindow::openModel);
    connect(sweeps_, &SweepController::textWanted, this, &MainWindow::openText);
    connect(sweeps_, &SweepController::runningChanged, this, [this] {
        if (sweeps_->running())
            errorBar_->hide();
        updateActions();
        if (!sweeps_->running() && analyseWhenReady_ && tokens_)
            analyse();
    });
    connect(session_, &Session::devicesListed, sweeps_, [this](const QStringList& names) {
        sweeps_->setGpus(static_cast<int>(names.filter(QStringLiteral("cuda")).size()));
    });
}

bool MainWindow::startSweep() { return sweeps_->start(); }

void MainWindow::showRun(const std::shared_ptr<const Run>& run, const QString& file)
{
    shown_->takeRun(run, file);
    if (!run->audit.checks.empty())
        auditPage_->setReport(AuditPage::Of::sweep, run->audit, shown_->run());
    if (run->finished())
        warnOf(run->audit);
    updateActions();
}

void MainWindow::showTable(
    const AuditReport& report, const QString& file, const std::shared_ptr<const ImportedTable>& table)
{
    Shown of;
    of.source = Shown::Source::table;
    of.file = file;
    auditPage_->setReport(AuditPage::Of::table, report, of, charts::tableChart(*table, report));
    tabs_->setCurrentWidget(auditPage_);
}

/// For a policy that ranks by a score of its own, which is made while the text is read.
void MainWindow::makeScores()
{
    if (!session_->analysisFile().isEmpty() || !model_ || !text_) {
        errorBar_->show(tr("This policy's scores are made while the text is read, and a file does not hold them."),
            tr("Open the model and analyse the text here."));
        return;
    }
    // Behind what is under way; both sides may ask.
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (!session_->busyWith(Session::Kind::analysis))
                analyse();
        },
        Qt::QueuedConnection);
}

void MainWindow::findNext(bool again)
{
    const QString query = find_->text();
    const std::int64_t from = std::max<std::int64_t>(selection_->token(), 0) + (again ? 1 : 0);
    const TokensPage::Found found = tokensPage_->find(query, from);
    const bool none = !query.isEmpty() && found.all == 0;
    find_->setToolTip(none ? literalToolTip(tr("No token matches “%1”.").arg(query)) : QString());
    if (found.all > 0) {
        tabs_->setCurrentWidget(tokensPage_);
        status_->setMessage(tr("match %1 of %2 for “%3”").arg(formatCount(found.place), formatCount(found.all), query));
    } else if (none && session_->analysis()) {
        status_->setMessage(tr("No token matches “%1”.").arg(query));
    }
}

} // namespace keepset::ui
