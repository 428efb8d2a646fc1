#include "ui/exporter.h"

#include "ui/chart_export.h"
#include "ui/settings.h"

#include <QClipboard>
#include <QDir>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>

namespace keepset::ui {

Exporter::Exporter(QWidget* window)
    : QObject(window)
    , window_(window)
{
}

void Exporter::add(const Exportable* chart) { charts_.push_back(chart); }

void Exporter::fillMenu(QMenu* menu) { fill(menu, false); }

void Exporter::fillCopyMenu(QMenu* menu) { fill(menu, true); }

void Exporter::fill(QMenu* menu, bool copies)
{
    std::vector<QAction*> actions;
    for (const Exportable* chart : charts_) {
        QAction* action
            = menu->addAction(QString(), this, [this, chart, copies] { copies ? copy(chart) : ask(chart); });
        action->setObjectName((copies ? QStringLiteral("copy ") : QStringLiteral("export ")) + chart->exportName());
        actions.push_back(action);
    }
    const auto update = [this, actions, copies] {
        for (std::size_t i = 0; i < actions.size(); ++i) {
            const bool named = !charts_[i]->exportTitle().isEmpty();
            QString title = named ? charts_[i]->exportTitle() : charts_[i]->exportName();
            title.replace(QLatin1Char('&'), QStringLiteral("&&"));
            actions[i]->setText(copies ? title : title + QStringLiteral(" …"));
            actions[i]->setEnabled(charts_[i]->hasContent());
        }
    };
    connect(menu, &QMenu::aboutToShow, this, update);
    update();
}

void Exporter::copy(const Exportable* chart)
{
    if (!chart->hasContent())
        return;
    QGuiApplication::clipboard()->setImage(pictureOf(*chart));
    Q_EMIT copied(chart->exportTitle());
}

void Exporter::ask(const Exportable* chart)
{
    QString filter;
    const QString filters = tr("Picture (*.png);;Vector graphics (*.svg);;PDF (*.pdf);;Table of the data (*.csv)");
    QString path = askNewFile(window_,
        { QStringLiteral("export"), tr("Export: %1").arg(chart->exportTitle()), filters,
            chart->exportName() + QStringLiteral(".png") },
        &filter);
    if (path.isEmpty())
        return;
    if (QFileInfo(path).suffix().isEmpty())
        path += filter.section(QLatin1Char('*'), 1).chopped(1);
    write(*chart, path);
}

void Exporter::write(const Exportable& chart, const QString& path)
{
    if (const auto problem = exportChart(chart, path))
        Q_EMIT failed(*problem);
    else
        Q_EMIT exported(path);
}

void Exporter::writeAll(const QString& folder, const QString& suffix)
{
    for (const Exportable* chart : charts_) {
        if (chart->hasContent())
            write(*chart, QDir(folder).filePath(chart->exportName() + QLatin1Char('.') + suffix));
    }
}

} // namespace keepset::ui
