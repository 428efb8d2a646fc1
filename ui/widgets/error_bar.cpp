#include "ui/widgets/error_bar.h"

#include <QHBoxLayout>
#include <QHideEvent>
#include <QLabel>
#include <QPushButton>

namespace keepset::ui {

ErrorBar::ErrorBar(QWidget* parent)
    : QFrame(parent)
    , label_(new QLabel(this))
{
    setObjectName(QStringLiteral("errorBar"));
    setAccessibleName(tr("Error"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 8, 8, 8);
    label_->setWordWrap(true);
    label_->setTextFormat(Qt::RichText);
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label_->setObjectName(QStringLiteral("errorText"));
    auto* close = new QPushButton(QStringLiteral("✕"), this);
    close->setProperty("flat", true);
    close->setObjectName(QStringLiteral("dismissError"));
    close->setAccessibleName(tr("Dismiss"));
    close->setToolTip(tr("Dismiss (Esc)"));
    close->setShortcut(Qt::Key_Escape);
    connect(close, &QPushButton::clicked, this, &QWidget::hide);
    layout->addWidget(label_, 1);
    layout->addWidget(close, 0, Qt::AlignTop);
    hide();
}

void ErrorBar::show(const QString& sentence, const QString& hint)
{
    constexpr qsizetype most = 3;
    const QString line = QStringLiteral("<span style='white-space:pre-wrap'><b>%1</b> %2</span>")
                             .arg(sentence.toHtmlEscaped(), hint.toHtmlEscaped());
    shown_.removeAll(line);
    shown_ << line;
    if (shown_.size() > most)
        shown_.removeFirst();
    label_->setText(shown_.join(QStringLiteral("<br>")));
    setAccessibleDescription(sentence + QLatin1Char(' ') + hint);
    QFrame::show();
    Q_EMIT shown(sentence, hint);
}

void ErrorBar::hideEvent(QHideEvent* event)
{
    if (!event->spontaneous()) // not when the window is minimised
        shown_.clear();
    QFrame::hideEvent(event);
}

QString ErrorBar::text() const { return accessibleDescription(); }

} // namespace keepset::ui

#include "moc_error_bar.cpp"
