#include "ui/format.h"
#include "ui/main_window.h"
#include "ui/pages/attention_page.h"
#include "ui/pages/heads_page.h"
#include "ui/pages/heatmap_page.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/log_panel.h"
#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/widgets/error_bar.h"
#include "ui/widgets/status_bar.h"

#include <QAction>
#include <QDockWidget>
#include <QTimer>

/// What the window says of itself: the status bar and the log.
namespace keepset::ui {

namespace {

    constexpr int memoryEvery = 3000; ///< ms between two looks at what is free

} // namespace

void MainWindow::buildStatusBar()
{
    status_ = new StatusBar(this);
    setStatusBar(status_);
    auto* often = new QTimer(this);
    connect(often, &QTimer::timeout, this, [this] {
        if (isVisible() && !isMinimized())
            session_->lookAtMemory(model_);
    });
    often->start(memoryEvery);
    connect(session_, &Session::memorySeen, status_, &StatusBar::setMemory);
}

/// It is hidden until somebody asks for it, and then where it was left.
void MainWindow::buildLog()
{
    log_ = new LogPanel(this);
    logDock_ = new QDockWidget(tr("Log"), this);
    logDock_->setObjectName(QStringLiteral("logDock"));
    logDock_->setFeatures(QDockWidget::DockWidgetClosable);
    logDock_->setTitleBarWidget(new QWidget(logDock_)); // the panel has a caption of its own
    logDock_->setWidget(log_);
    addDockWidget(Qt::BottomDockWidgetArea, logDock_);
    logDock_->hide();
    const auto add = [this](LogPanel::Kind kind) {
        return [this, kind](const QString& sentence, const QString& hint = {}) {
            log_->add(kind, hint.isEmpty() ? sentence : sentence + QLatin1Char(' ') + hint);
        };
    };
    connect(errorBar_, &ErrorBar::shown, log_, add(LogPanel::Kind::error));
    connect(session_, &Session::textNoted, log_, [this](const QStringList& notes) {
        for (const QString& note : notes)
            log_->add(LogPanel::Kind::warning, note);
    });
}

void MainWindow::report(const QString& words)
{
    status_->setMessage(words);
    log_->add(LogPanel::Kind::done, words);
}

void MainWindow::warn(const QString& words) { log_->add(LogPanel::Kind::warning, words); }

void MainWindow::warnOf(const AuditReport& audit)
{
    for (const Check& check : audit.checks) {
        if (check.status == CheckStatus::fail || check.status == CheckStatus::warning)
            warn(tr("Audit, %1: %2").arg(QString::fromStdString(check.name), QString::fromStdString(check.detail)));
    }
}

void MainWindow::showBusy(bool busy, const QString& what)
{
    busy_ = busy;
    const QString waiting = busy ? what : QString();
    tokensPage_->setWaiting(waiting);
    heatmapPage_->setWaiting(waiting);
    headsPage_->setWaiting(waiting);
    attentionPage_->setWaiting(waiting);
    if (busy)
        cancelAction_->setToolTip(
            tr("Stops %1 (%2)").arg(what, cancelAction_->shortcut().toString(QKeySequence::NativeText)));
    status_->setBusy(waiting);
    if (!busy)
        Q_EMIT idle();
    updateActions();
}

void MainWindow::showHover(qint64 token)
{
    const auto& analysis = rows_->analysis();
    if (session_->busy() || !analysis || !rows_->row())
        return;
    if (token < 0 || token >= analysis->context) {
        status_->setMessage({});
        return;
    }
    const auto at = static_cast<std::size_t>(token);
    status_->setMessage(tr("token %1 %2 · %3 · importance %4")
                            .arg(formatCount(token), formatToken(QString::fromStdString(analysis->tokens[at].text)),
                                rows_->scopeTitle(), formatSignificant(rows_->row()->scores[at])));
}

} // namespace keepset::ui
