#include "ui/demo.h"
#include "ui/main_window.h"
#include "ui/panels/setup_panel.h"
#include "ui/selection_state.h"
#include "ui/settings.h"

#include <QFileInfo>
#include <QSettings>
#include <QTabWidget>

namespace keepset::ui {

void MainWindow::readSettings()
{
    const QSettings settings;
    restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
    restoreState(settings.value(QStringLiteral("state")).toByteArray());
    options_.device = settings.value(QStringLiteral("device"), QStringLiteral("auto")).toString().toStdString();
    readChoices(*selection_);
    readRemembered(*this);
    setup_->setContext(settings.value(QStringLiteral("context"), 1024).toLongLong());
    tabs_->setCurrentIndex(settings.value(QStringLiteral("page")).toInt());
}

void MainWindow::writeSettings() const
{
    QSettings settings;
    settings.setValue(QStringLiteral("geometry"), saveGeometry());
    settings.setValue(QStringLiteral("state"), saveState());
    settings.setValue(QStringLiteral("device"), QString::fromStdString(options_.device));
    settings.setValue(QStringLiteral("context"), static_cast<qlonglong>(setup_->context()));
    settings.setValue(QStringLiteral("page"), tabs_->currentIndex());
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

} // namespace keepset::ui
