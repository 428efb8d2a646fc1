#include "ui/pages/card.h"

#include "ui/plain_text.h"
#include "ui/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

namespace keepset::ui {

namespace {

    /// A label that ends in an ellipsis where its words do not fit.
    class ElidedLabel : public QLabel {
    public:
        explicit ElidedLabel(QWidget* parent)
            : QLabel(parent)
        {
            setTextFormat(Qt::PlainText);
        }

    protected:
        void paintEvent(QPaintEvent*) override
        {
            QPainter painter(this);
            painter.setPen(themeOf(this).muted);
            painter.drawText(
                rect(), Qt::AlignLeft | Qt::AlignVCenter, fontMetrics().elidedText(text(), Qt::ElideRight, width()));
        }
    };

} // namespace

QLabel* roleLabel(const QString& text, const char* role, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setProperty("role", QLatin1String(role));
    label->setTextFormat(Qt::PlainText); // names and tokens may look like tags
    return label;
}

QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(what);
    button->setAccessibleName(what);
    button->setProperty("flat", true);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

Card::Card(const QString& title, QWidget* parent, Words words)
    : QFrame(parent)
    , title_(roleLabel(title, "title", this))
    , subtitle_(new ElidedLabel(this))
    , heading_(new QHBoxLayout)
    , content_(new QVBoxLayout)
{
    setProperty("card", true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(cardPadding, 10, cardPadding, 10);
    layout->setSpacing(4);
    heading_->setSpacing(8);
    subtitle_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    heading_->addWidget(title_);
    if (words == Words::behind)
        heading_->addWidget(subtitle_, 1);
    else
        heading_->addStretch(1);
    content_->setSpacing(4);
    layout->addLayout(heading_);
    if (words == Words::below)
        layout->addWidget(subtitle_);
    layout->addLayout(content_, 1);
}

void Card::setTitle(const QString& title) { title_->setText(title); }

void Card::setSubtitle(const QString& words)
{
    subtitle_->setText(words);
    subtitle_->setToolTip(literalToolTip(words));
}

void Card::addControl(QWidget* control) { heading_->addWidget(control); }

} // namespace keepset::ui
