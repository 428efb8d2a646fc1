#include "ui/widgets/shown_line.h"

#include "ui/widgets/elided_label.h"

#include <QHBoxLayout>

namespace keepset::ui {

ShownLine::ShownLine(QWidget* parent)
    : QFrame(parent)
    , stale_(new QLabel(this))
    , line_(new ElidedLabel(this))
{
    setObjectName(QStringLiteral("shownBar"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 2, 14, 2);
    layout->setSpacing(8);
    stale_->setObjectName(QStringLiteral("staleWords"));
    stale_->setTextFormat(Qt::PlainText);
    line_->setObjectName(QStringLiteral("shownLine"));
    line_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    line_->setTextInteractionFlags(Qt::NoTextInteraction);
    layout->addWidget(stale_);
    layout->addWidget(line_, 1);
    setShown({});
}

void ShownLine::setShown(const Shown& shown)
{
    const QString stale = staleWords(shown);
    stale_->setText(stale.isEmpty() ? QString() : QStringLiteral("⚠ ") + stale);
    stale_->setVisible(!stale.isEmpty());
    const QString line = lineOf(shown);
    line_->setWords(line.isEmpty() ? tr("nothing is shown yet") : line);
    setAccessibleName(tr("What is shown"));
    setAccessibleDescription(stale.isEmpty() ? line : stale + QStringLiteral(": ") + line);
}

QString ShownLine::text() const { return line_->text(); }

} // namespace keepset::ui

#include "moc_shown_line.cpp"
