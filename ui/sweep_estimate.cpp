#include "ui/sweep_estimate.h"

#include "ui/format.h"

#include <QCoreApplication>
#include <QSettings>
#include <QStringList>

#include <cmath>

namespace keepset::ui {

namespace {

    QString tr(const char* text) { return QCoreApplication::translate("keepset::ui", text); }

    QString windowWords(const SweepCost& cost)
    {
        if (!cost.available)
            return cost.counting ? tr("counting the text's tokens …") : tr("the text's tokens are not counted");
        const QString available = formatCount(*cost.available);
        if (cost.asked == 0 || cost.asked == *cost.available)
            return tr("all %1 windows of the text").arg(available);
        return tr("%1 of the text's %2 windows").arg(formatCount(cost.asked), available);
    }

    QString rateKey(const ModelInfo& model)
    {
        QString key = QStringLiteral("%1|%2|%3")
                          .arg(QString::fromStdString(model.path), QString::fromStdString(model.device_name),
                              QString::fromStdString(model.dtype));
        return QStringLiteral("sweepRates/") + key.replace(QLatin1Char('/'), QLatin1Char('_'));
    }

} // namespace

QString costWords(const SweepCost& cost)
{
    QStringList parts { windowWords(cost) };
    if (std::isfinite(cost.seconds))
        parts << tr("about %1").arg(formatDuration(cost.seconds));
    if (cost.memory && cost.memory->free >= 0)
        parts << tr("%1 of memory, %2 free").arg(formatBytes(cost.memory->needed()), formatBytes(cost.memory->free));
    return parts.join(QStringLiteral(" · "));
}

double measuredRate(const ModelInfo& model) { return QSettings().value(rateKey(model), not_a_number).toDouble(); }

void rememberRate(const ModelInfo& model, double secondsPerWork)
{
    QSettings().setValue(rateKey(model), secondsPerWork);
}

} // namespace keepset::ui
