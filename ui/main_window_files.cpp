#include "ui/main_window.h"

#include "ui/demo.h"
#include "ui/pages/sweep_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/sweep_controller.h"
#include "ui/widgets/drop_overlay.h"
#include "ui/widgets/error_bar.h"

#include "core/files.h"

#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMimeData>

namespace keepset::ui {

void MainWindow::start(const StartRequest& request)
{
    for (const QString& file : request.files)
        openFile(file);
    const bool nothing = request.model.isEmpty() && request.text.isEmpty() && request.files.isEmpty();
    if (nothing) {
        openLast();
        return;
    }
    if (!request.model.isEmpty())
        QFileInfo(request.model).isFile() ? openAny(request.model) : openModel(request.model);
    else if (!request.text.isEmpty())
        openLastModel();
    if (!request.text.isEmpty())
        openText(request.text);
    else if (const auto demo = demoFolder(); demo && !request.model.isEmpty() && request.files.isEmpty())
        openText(*demo + QStringLiteral("/demo.txt"));
}

void MainWindow::openModel(const QString& folder)
{
    errorBar_->hide();
    session_->lookAtModel(folder);
}

/// Only a folder that holds a model ends what works with the one that is open.
void MainWindow::openFoundModel(const QString& folder)
{
    if (!sweeps_->mayEnd(tr("Opening a model")))
        return;
    analyseWhenReady_ = true;
    session_->openModel(folder, options_, setup_->context());
}

void MainWindow::openText(const QString& path)
{
    errorBar_->hide();
    textPath_ = path;
    session_->openText(path);
}

void MainWindow::openDemo()
{
    const auto demo = demoFolder();
    if (!demo) {
        errorBar_->show(tr("The demo model is not beside this program."), tr("Open a model folder of your own."));
        return;
    }
    openModel(*demo + QStringLiteral("/model"));
    openText(*demo + QStringLiteral("/demo.txt"));
}

namespace {
    /// Whether a safetensors file may hold scores or keep sets: it lies in no model folder and is not named as weights
    /// are. What it really holds is read in the session's thread.
    bool isOwnMethod(const QFileInfo& file)
    {
        return file.suffix().toLower() == QStringLiteral("safetensors")
            && !QFileInfo::exists(file.absolutePath() + QStringLiteral("/config.json"))
            && !file.fileName().startsWith(QStringLiteral("model"));
    }
}

void MainWindow::openAny(const QString& path)
{
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    if (info.isDir() || suffix == QStringLiteral("gguf"))
        openModel(path); // which says what a file of that kind is
    else if (suffix == QStringLiteral("h5") || suffix == QStringLiteral("hdf5") || suffix == QStringLiteral("csv")
        || suffix == QStringLiteral("npz") || is_hdf5(path.toStdString()) || isOwnMethod(info))
        openFile(path); // which says what a method of one's own is for
    else if (info.fileName() == QStringLiteral("config.json") || suffix == QStringLiteral("safetensors"))
        openModel(info.absolutePath());
    else
        openText(path);
}

void MainWindow::openFile(const QString& path)
{
    errorBar_->hide();
    addRecent(QStringLiteral("files"), path);
    session_->openFile(path);
}

void MainWindow::chooseModel()
{
    const QString folder = askFolder(this, { QStringLiteral("model"), tr("Open a model folder") });
    if (!folder.isEmpty())
        openModel(folder);
}

void MainWindow::chooseText()
{
    const QString path
        = askFile(this, { QStringLiteral("text"), tr("Open a text"), tr("Text (*.txt *.md);;All files (*)") });
    if (!path.isEmpty())
        openText(path);
}

void MainWindow::chooseFile()
{
    const QString path = askFile(this,
        { QStringLiteral("file"), tr("Open a trace, run or table"),
            tr("Keepset files and tables (*.h5 *.hdf5 *.csv);;All files (*)") });
    if (!path.isEmpty())
        openFile(path);
}

void MainWindow::pasteText()
{
    const QString text = QApplication::clipboard()->text();
    if (text.isEmpty()) {
        errorBar_->show(tr("The clipboard holds no text."), tr("Copy the text to analyse, then paste it here."));
        return;
    }
    useText({ "pasted", text.toStdString() });
}

void MainWindow::saveAs(bool run)
{
    const QString path = askNewFile(this,
        { QStringLiteral("file"), run ? tr("Save the sweep") : tr("Save the analysis"), tr("HDF5 (*.h5)"),
            run ? QStringLiteral("run.h5") : QStringLiteral("trace.h5") });
    if (path.isEmpty())
        return;
    if (run) {
        session_->saveRun(path, sweepPage_->run());
        return;
    }
    std::vector<SelectRequest> keepSets;
    for (int side = 0; side < 2; ++side) {
        if (selection_->hasPolicy(side))
            keepSets.push_back(selection_->request(side));
    }
    session_->saveAnalysis(path, keepSets);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    const QMimeData* dragged = event->mimeData();
    if (!dragged->hasUrls() && !dragged->hasText())
        return;
    event->acceptProposedAction();
    QStringList names;
    for (const QUrl& url : dragged->urls())
        names << url.fileName();
    dropOverlay_->cover(names.isEmpty() ? tr("the text itself") : names.join(QStringLiteral(", ")));
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent* event)
{
    dropOverlay_->hide();
    QMainWindow::dragLeaveEvent(event);
}

void MainWindow::dropEvent(QDropEvent* event)
{
    dropOverlay_->hide();
    const QMimeData* dropped = event->mimeData();
    if (!dropped->hasUrls() && dropped->hasText())
        useText({ "dropped", dropped->text().toStdString() });
    for (const QUrl& url : dropped->urls()) {
        if (url.isLocalFile())
            openAny(url.toLocalFile());
        else
            errorBar_->show(tr("%1 is not on this machine.").arg(url.toString()), tr("Download it and drop the file."));
    }
    event->acceptProposedAction();
}

} // namespace keepset::ui
