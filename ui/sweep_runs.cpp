#include "core/compare_runs.h"
#include "ui/pages/run_list.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/sweep_controller.h"
#include "ui/sweep_files.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QGuiApplication>
#include <QStandardPaths>
#include <QUrl>

#include <algorithm>
#include <utility>

/// SweepController's list of runs, and those that other processes write.
namespace keepset::ui {

void SweepController::connectList()
{
    RunList* runs = page_->runs();
    connect(runs, &RunList::showRequested, session_, &Session::openFile);
    connect(runs, &RunList::goOnRequested, this, [this](const QString& path) {
        if (running())
            return;
        goOnOpened_ = path;
        session_->openFile(path);
    });
    connect(runs, &RunList::layOverRequested, this, [this](const QString& path, bool on) {
        if (on)
            session_->openForComparison(path);
        else
            page_->removeRun(QFileInfo(path).completeBaseName());
    });
    connect(runs, &RunList::colorChanged, session_, &Session::openForComparison);
    connect(page_, &SweepPage::earlierRunsChanged, runs, &RunList::setLaidOver);
    connect(page_, &SweepPage::layOverRequested, this, [this] {
        const QStringList files
            = askFiles(window_, { QStringLiteral("file"), tr("Runs to lay over the chart"), tr("Runs (*.h5)") });
        for (const QString& file : files)
            session_->openForComparison(file);
    });
    connect(runs, &RunList::renameRequested, this, &SweepController::rename);
    connect(runs, &RunList::deleteRequested, this, &SweepController::throwRunAway);
    connect(runs, &RunList::undoRequested, this, &SweepController::bringRunBack);
    connect(runs, &RunList::copyCommandRequested, this, &SweepController::copyCommandOf);
    connect(runs, &RunList::openFolderRequested, this,
        [](const QString& path) { QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(path).absolutePath())); });
    connect(runs, &RunList::chooseFolderRequested, this, [this] {
        const QString folder = askFolder(window_, { QStringLiteral("runs"), tr("Keep runs in") });
        if (!folder.isEmpty())
            setRunsFolder(folder);
        list();
    });
}

void SweepController::list() { session_->listRuns(runsFolder(), opened_); }

void SweepController::takeList(const std::vector<RunSummary>& runs)
{
    runs_ = runs;
    page_->runs()->setRuns(runs);
    const auto unfinished = std::ranges::count_if(runs, &RunSummary::unfinished);
    if (!offered_ && unfinished > 0 && !running())
        Q_EMIT offered(unfinished == 1 ? tr("1 sweep is unfinished and can go on.")
                                       : tr("%1 sweeps are unfinished and can go on.").arg(unfinished));
    else if (unfinished == 0)
        Q_EMIT offered(QString());
    if (!offered_ && unfinished > 0 && !run_) {
        page_->showRuns();
        page_->runs()->choose(std::ranges::find_if(runs, &RunSummary::unfinished)->path);
    }
    offered_ = true;
}

void SweepController::show(const std::shared_ptr<const Run>& run, const QString& path, bool alive)
{
    run_ = run;
    path_ = path;
    const bool own = underWay_ && path.toStdString() == sweep_.out;
    page_->setRun(run,
        own         ? SweepPage::Activity::running
            : alive ? SweepPage::Activity::following
                    : SweepPage::Activity::none);
    page_->runs()->setShown(path);
    Q_EMIT shown(run, QFileInfo(path).fileName());
    if (goOnOpened_ == path) {
        goOnOpened_.clear();
        goOn();
    }
}

void SweepController::takeFollowed(const std::shared_ptr<const Run>& run, const QString& path, bool alive)
{
    const bool own = underWay_ && path.toStdString() == sweep_.out;
    if (path != follower_.path() || own)
        return;
    show(run, path, alive);
    if (!alive && run->finished())
        follower_.stop();
    if (!alive)
        list();
}

void SweepController::layOver(const std::shared_ptr<const Run>& run, const QString& path)
{
    const QString name = QFileInfo(path).completeBaseName();
    const RunComparison found = run_ ? compare_runs(*run_, *run) : RunComparison {};
    if (!run_)
        show(run, QFileInfo(path).absoluteFilePath(), false);
    else if (!found.refusal.empty())
        Q_EMIT failed(tr("%1 cannot be laid over the run shown.").arg(name), QString::fromStdString(found.refusal));
    else
        page_->addRun(run, name, RunList::colorOf(path));
    page_->tellEarlierRuns();
}

// ---- files -----------------------------------------------------------------------------------------------------

void SweepController::rename(const QString& path, const QString& name)
{
    const QFileInfo file(path);
    const QString target = file.dir().filePath(name + QStringLiteral(".h5"));
    if (name.isEmpty() || name.contains(QLatin1Char('/')) || QFileInfo::exists(target)) {
        Q_EMIT failed(tr("%1 cannot be renamed to “%2”.").arg(file.completeBaseName(), name),
            tr("Choose a name that no file of the folder has, without a slash."));
    } else if (!QFile::rename(path, target)) {
        Q_EMIT failed(tr("%1 cannot be renamed.").arg(file.completeBaseName()), tr("Is its folder writable?"));
    } else {
        opened_.replaceInStrings(path, target);
        if (path_ == path) {
            path_ = target;
            page_->runs()->setShown(target);
            if (!follower_.path().isEmpty())
                follower_.follow(target);
        }
    }
    list();
}

void SweepController::throwRunAway(const QString& path)
{
    const auto run = std::ranges::find(runs_, path, &RunSummary::path);
    if (run == runs_.end())
        return;
    if (run->alive) {
        Q_EMIT failed(tr("%1 is being written.").arg(run->name), tr("Stop its sweep before it is deleted."));
        return;
    }
    const auto basket = throwAway(path);
    if (!basket) {
        Q_EMIT failed(tr("%1 cannot be moved to the wastebasket.").arg(run->name), tr("Delete it by hand."));
        return;
    }
    deleted_ = path;
    basket_ = *basket;
    page_->runs()->offerUndo(run->name);
    list();
}

void SweepController::bringRunBack()
{
    if (!bringBack(basket_, deleted_))
        Q_EMIT failed(tr("%1 cannot be brought back.").arg(QFileInfo(deleted_).completeBaseName()),
            tr("It lies in the wastebasket: %1").arg(basket_));
    page_->runs()->offerUndo({});
    list();
}

void SweepController::copyCommandOf(const QString& path)
{
    const auto run = std::ranges::find(runs_, path, &RunSummary::path);
    if (run == runs_.end())
        return;
    QGuiApplication::clipboard()->setText(run->command);
    Q_EMIT told(tr("copied the command of %1").arg(run->name));
}

// ---- all GPUs --------------------------------------------------------------------------------------------------

void SweepController::setGpus(int gpus)
{
    const bool can = !QStandardPaths::findExecutable(QStringLiteral("torchrun")).isEmpty();
    gpus_ = can ? gpus : 0;
    form_->setGpus(gpus_);
}

void SweepController::startOnGpus()
{
    auto request = form_->request();
    if (!model_ || !text_ || !request || running())
        return;
    if (textPath_.isEmpty())
        textPath_ = keepText(*text_).value_or(QString());
    sweep_ = complete(*request);
    SweepPlace from = place();
    from.options.device = "auto"; // each process takes the GPU of its number
    const QString beside = QCoreApplication::applicationDirPath() + QStringLiteral("/keepset-cli");
    const QString program = QFileInfo::exists(beside) ? beside : QStringLiteral("keepset-cli");
    QStringList words { QStringLiteral("--nproc-per-node"), QString::number(gpus_), QStringLiteral("--no-python"),
        program };
    for (const std::string& word : sweep_arguments(sweep_, from))
        words << QString::fromStdString(word);
    path_ = QString::fromStdString(sweep_.out);
    run_.reset();
    gpuGroup_.start(QStringLiteral("torchrun"), words);
    page_->setRun(nullptr, SweepPage::Activity::running);
    page_->setSweeping(true);
    follower_.follow(path_);
    Q_EMIT runningChanged();
}

void SweepController::endOfGpus()
{
    const bool ended = gpuGroup_.exitStatus() == QProcess::NormalExit && gpuGroup_.exitCode() <= 1;
    const QStringList said
        = QString::fromUtf8(gpuGroup_.readAllStandardError()).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    if (gpuGroup_.error() == QProcess::FailedToStart)
        page_->setError(tr("torchrun could not be started: %1").arg(gpuGroup_.errorString()));
    else if (!ended && !stopping_ && !said.isEmpty())
        page_->setError(said.filter(QStringLiteral("keepset-cli")).value(0, said.last()));
    page_->setSweeping(false);
    list();
    Q_EMIT runningChanged();
}

} // namespace keepset::ui
