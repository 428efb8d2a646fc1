#include "ui/widgets/tour.h"

#include "ui/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace keepset::ui {

Tour::Tour(std::vector<Step> steps, QWidget* window)
    : QFrame(window)
    , steps_(std::move(steps))
    , title_(new QLabel(this))
    , text_(new QLabel(this))
    , next_(new QPushButton(this))
{
    setObjectName(QStringLiteral("tourCard"));
    setAttribute(Qt::WA_StyledBackground);
    auto* layout = new QVBoxLayout(this);
    title_->setProperty("role", QStringLiteral("title"));
    text_->setWordWrap(true);
    auto* buttons = new QHBoxLayout;
    auto* never = new QPushButton(tr("Don't show again"), this);
    never->setProperty("flat", true);
    never->setObjectName(QStringLiteral("tourNever"));
    next_->setProperty("primary", true);
    next_->setObjectName(QStringLiteral("tourNext"));
    buttons->addWidget(never);
    buttons->addStretch(1);
    buttons->addWidget(next_);
    layout->addWidget(title_);
    layout->addWidget(text_);
    layout->addSpacing(6);
    layout->addLayout(buttons);
    connect(never, &QPushButton::clicked, this, &Tour::end);
    connect(next_, &QPushButton::clicked, this, [this] { showStep(index_ + 1); });
    window->installEventFilter(this);
    hide();
}

void Tour::start() { showStep(0); }

void Tour::showStep(std::size_t index)
{
    if (index >= steps_.size()) {
        end();
        return;
    }
    index_ = index;
    title_->setText(tr("%1 of %2 · %3").arg(index + 1).arg(steps_.size()).arg(steps_[index].title));
    text_->setText(steps_[index].text);
    next_->setText(index + 1 == steps_.size() ? tr("Done") : tr("Next"));
    show();
    raise();
    place();
    next_->setFocus(Qt::OtherFocusReason);
}

void Tour::fit()
{
    constexpr int narrowWindow = 1200; // px
    const bool narrow = parentWidget()->width() < narrowWindow;
    setFixedWidth(narrow ? 236 : 300);
    layout()->setContentsMargins(narrow ? QMargins(12, 9, 12, 8) : QMargins(16, 14, 16, 12));
    layout()->setSpacing(narrow ? 3 : 6);
    text_->setFont(interfaceFont(narrow ? 12 : 13));
}

void Tour::place()
{
    if (index_ >= steps_.size())
        return;
    fit();
    setFixedHeight(heightForWidth(width()));
    const QWidget* target = steps_[index_].target;
    const QWidget* window = parentWidget();
    QPoint corner = window->rect().center() - rect().center();
    if (target) {
        const QRect there(target->mapTo(window, QPoint(0, 0)), target->size());
        corner = QPoint(there.right() + 16, there.top() + there.height() / 4); // beside it, as far as there is room
    }
    corner.setX(std::clamp(corner.x(), 8, std::max(8, window->width() - width() - 8)));
    corner.setY(std::clamp(corner.y(), 8, std::max(8, window->height() - height() - 8)));
    move(corner);
}

bool Tour::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize && isVisible())
        place();
    return QFrame::eventFilter(watched, event);
}

void Tour::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape)
        end();
    else
        QFrame::keyPressEvent(event);
}

void Tour::end()
{
    hide();
    Q_EMIT finished(true);
}

} // namespace keepset::ui

#include "moc_tour.cpp"
