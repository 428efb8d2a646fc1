#include "ui/pages/card.h"

#include "ui/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/flow_layout.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>

namespace keepset::ui {

Card::Card(const QString& title, QWidget* parent, Words words)
    : QFrame(parent)
    , title_(new ElidedLabel(this))
    , subtitle_(new ElidedLabel(this))
    , heading_(new FlowLayout(8))
    , content_(new QVBoxLayout)
{
    setProperty("card", true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, 10, cardPadding, 10);
    layout->setSpacing(4);
    title_->setProperty("role", QStringLiteral("title"));
    subtitle_->setProperty("role", QStringLiteral("muted"));
    subtitle_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    heading_->addWidget(title_);
    if (words == Words::behind)
        heading_->addWidget(subtitle_);
    else
        title_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    content_->setSpacing(4);
    layout->addLayout(heading_);
    heading_->keepTogether(heading_->count()); // the controls
    if (words == Words::below) {
        below_ = new QHBoxLayout;
        below_->setSpacing(8);
        below_->addWidget(subtitle_, 1);
        layout->addLayout(below_);
    }
    layout->addLayout(content_, 1);
    setTitle(title);
}

void Card::setTitle(const QString& title)
{
    title_->setWords(title);
    title_->setMinimumWidth(0); // a label's hint is never below it: a short title would keep the room of a long one
    // One that fills its line would else be cut before a control wraps; the others wrap, and cards beside each other
    // are equally wide as long as none needs more than its part.
    const int most = title_->sizePolicy().horizontalPolicy() == QSizePolicy::Expanding ? 240 : 140;
    title_->setMinimumWidth(std::min(title_->sizeHint().width(), most));
    if (twin_)
        twin_->heading_->invalidate();
}

void Card::setTwin(Card* twin)
{
    twin_ = twin;
    heading_->setTwin(twin->heading_);
}

void Card::setSubtitle(const QString& words) { subtitle_->setWords(words); }

void Card::addState(QWidget* state) { below_->insertWidget(below_->count() - 1, state); }

void Card::addControl(QWidget* control)
{
    heading_->addWidget(control);
    if (qobject_cast<QComboBox*>(control))
        nameFor(control, control->accessibleName());
}

Card::ExportButtons Card::addExport(const QString& what)
{
    const ExportButtons buttons { flatButton(tr("Export …"), what, this),
        flatButton(tr("Copy"), tr("Copies the picture"), this) };
    addControl(buttons.save);
    addControl(buttons.copy);
    return buttons;
}

/// Splitters ask nobody for the height that a width needs: headings and legends wrap, charts would pay for it.
bool Card::event(QEvent* event)
{
    const bool handled = QFrame::event(event);
    if (isVisible() && (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest))
        setMinimumHeight(layout()->totalMinimumHeightForWidth(width()));
    return handled;
}

} // namespace keepset::ui
