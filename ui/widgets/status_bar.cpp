#include "ui/widgets/status_bar.h"

#include "ui/format.h"
#include "ui/progress_words.h"
#include "ui/widgets/elided_label.h"

#include <QProgressBar>

#include <algorithm>

namespace keepset::ui {

StatusBar::StatusBar(QWidget* parent)
    : QStatusBar(parent)
    , device_(new ElidedLabel(this))
    , progress_(new QProgressBar(this))
    , progressWords_(new ElidedLabel(this))
    , message_(new ElidedLabel(this))
    , memory_(new ElidedLabel(this))
{
    device_->setObjectName(QStringLiteral("deviceLabel"));
    progress_->setObjectName(QStringLiteral("progress"));
    progress_->setTextVisible(false);
    progress_->setFixedWidth(160);
    progress_->hide();
    message_->setObjectName(QStringLiteral("message"));
    memory_->setObjectName(QStringLiteral("memoryLabel"));
    setSizeGripEnabled(false);
    addWidget(device_);
    addWidget(progress_);
    addWidget(progressWords_);
    addWidget(message_, 1);
    addPermanentWidget(memory_);
    device_->setWords(tr("no device yet"));
}

void StatusBar::setDevice(const QString& words) { device_->setWords(words); }

void StatusBar::setMemory(const QString& device, qint64 free, qint64 total)
{
    const bool cpu = device == QStringLiteral("cpu");
    memory_->setVisible(free >= 0 && total > 0);
    memory_->setWords(tr("%1: %2 of %3 free").arg(cpu ? tr("RAM") : tr("GPU"), formatBytes(free), formatBytes(total)),
        tr("Memory of %1: %2 used, %3 free, %4 in all")
            .arg(cpu ? tr("this machine") : device, formatBytes(std::max<qint64>(0, total - free)), formatBytes(free),
                formatBytes(total)));
}

void StatusBar::setProgress(const Progress& progress)
{
    constexpr int steps = 1000;
    progress_->setVisible(true);
    progress_->setRange(0, progress.total > 0 ? steps : 0);
    progress_->setValue(static_cast<int>(progress.share() * steps));
    progressWords_->setWords(progressWords(progress));
}

void StatusBar::setBusy(const QString& what)
{
    const bool busy = !what.isEmpty();
    progress_->setVisible(busy);
    progressWords_->setWords(busy ? what + QStringLiteral(" …") : QString());
    if (!busy)
        return;
    progress_->setRange(0, 0);
    message_->setWords({});
}

void StatusBar::setMessage(const QString& words) { message_->setWords(words); }

} // namespace keepset::ui
