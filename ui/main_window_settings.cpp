#include "ui/demo.h"
#include "ui/main_window.h"
#include "ui/pages/tokens_page.h"
#include "ui/panels/setup_panel.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/sweep_controller.h"
#include "ui/widgets/tour.h"

#include <QCloseEvent>
#include <QFileInfo>
#include <QSettings>
#include <QTabWidget>

namespace keepset::ui {

void MainWindow::readSettings()
{
    const QSettings settings;
    restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
    if (restoreState(settings.value(QStringLiteral("state")).toByteArray()))
        narrow_ = width() < narrowWindow; // the panels have the widths of the last time
    options_.device = settings.value(QStringLiteral("device"), QStringLiteral("auto")).toString().toStdString();
    readChoices(*selection_);
    readRemembered(*this);
    setup_->setContext(settings.value(QStringLiteral("context"), 1024).toLongLong());
    const QString page = settings.value(QStringLiteral("page")).toString();
    for (int i = 0; i < tabs_->count(); ++i) {
        if (tabs_->widget(i)->objectName() == page)
            tabs_->setCurrentIndex(i);
    }
}

void MainWindow::writeSettings() const
{
    QSettings settings;
    settings.setValue(QStringLiteral("geometry"), saveGeometry());
    settings.setValue(QStringLiteral("state"), saveState());
    settings.setValue(QStringLiteral("device"), QString::fromStdString(options_.device));
    settings.setValue(QStringLiteral("context"), static_cast<qlonglong>(setup_->context()));
    settings.setValue(QStringLiteral("page"), tabs_->currentWidget()->objectName());
    writeChoices(*selection_);
    writeRemembered(*this);
}

/// Model and text of the last time, where both are still there; otherwise the demo.
void MainWindow::openLast()
{
    const QSettings settings;
    const QString model = settings.value(QStringLiteral("lastModel")).toString();
    const QString text = settings.value(QStringLiteral("lastText")).toString();
    if (!QFileInfo::exists(model) || !QFileInfo::exists(text)) {
        openDemo();
        return;
    }
    openModel(model);
    openText(text);
}

/// For a text that was given without one.
void MainWindow::openLastModel()
{
    const QString model = QSettings().value(QStringLiteral("lastModel")).toString();
    if (QFileInfo::exists(model))
        openModel(model);
    else if (const auto demo = demoFolder())
        openModel(*demo + QStringLiteral("/model"));
}

void MainWindow::startTour()
{
    if (QSettings().value(QStringLiteral("tourDone")).toBool())
        return;
    delete findChild<Tour*>(); // one at a time
    auto* tour = new Tour(
        { { setup_, tr("What is analysed"),
              tr("A model reads a text; every token receives attention from the tokens behind it. The demo is open "
                 "already: your own model folder or text can be dropped anywhere on the window.") },
            { setup_->findChild<QWidget*>(QStringLiteral("sparsity")), tr("How much is evicted"),
                tr("Move the slider: two policies choose at once which tokens stay in the cache. Colours and "
                   "underlines say why each one stays; what is evicted is dimmed.") },
            { tokensPage_, tr("Why this token"),
                tr("Click a token: on the right stand its score, its rank, the cut-off, and in words why each policy "
                   "keeps or evicts it.") } },
        this);
    connect(tour, &Tour::finished, this, [tour](bool forEver) {
        QSettings().setValue(QStringLiteral("tourDone"), forEver);
        tour->deleteLater();
    });
    tour->start();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (!sweeps_->mayEnd(tr("Leaving Keepset"))) {
        event->ignore();
        return;
    }
    writeSettings();
    session_->cancel();
    QMainWindow::closeEvent(event);
}

} // namespace keepset::ui
