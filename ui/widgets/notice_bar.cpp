#include "ui/widgets/notice_bar.h"

#include "ui/widgets/labels.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

namespace keepset::ui {

NoticeBar::NoticeBar(QWidget* parent)
    : QFrame(parent)
    , label_(roleLabel(QString(), "strong", this))
    , answer_(new QPushButton(this))
{
    setObjectName(QStringLiteral("noticeBar"));
    setAccessibleName(tr("Notice"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 4, 8, 4);
    label_->setObjectName(QStringLiteral("noticeText"));
    label_->setWordWrap(true);
    answer_->setObjectName(QStringLiteral("noticeAnswer"));
    auto* later = flatButton(tr("Later"), tr("Puts the answer off; nothing is lost by that"), this);
    later->setObjectName(QStringLiteral("noticeLater"));
    layout->addWidget(label_, 1);
    layout->addWidget(answer_);
    layout->addWidget(later);
    connect(answer_, &QPushButton::clicked, this, [this] {
        hide();
        Q_EMIT answered();
    });
    connect(later, &QToolButton::clicked, this, &QWidget::hide);
    hide();
}

void NoticeBar::setNotice(const QString& words, const QString& answer)
{
    label_->setText(words);
    answer_->setText(answer);
    answer_->setAccessibleDescription(words);
    setAccessibleDescription(words);
    setVisible(!words.isEmpty());
}

} // namespace keepset::ui

#include "moc_notice_bar.cpp"
