#include "ui/widgets/elided_label.h"

#include "ui/plain_text.h"

#include <QPainter>
#include <QStyle>

#include <algorithm>

namespace keepset::ui {

ElidedLabel::ElidedLabel(QWidget* parent)
    : QLabel(parent)
{
    setTextFormat(Qt::PlainText); // names and tokens may look like tags
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
}

void ElidedLabel::setWords(const QString& words, const QString& toolTip)
{
    setText(words);
    setToolTip(literalToolTip(toolTip.isEmpty() ? words : toolTip));
}

QSize ElidedLabel::minimumSizeHint() const
{
    const QSize whole = QLabel::minimumSizeHint();
    return { std::min(whole.width(), 24), whole.height() };
}

void ElidedLabel::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const QRect box = contentsRect();
    style()->drawItemText(&painter, box, static_cast<int>(alignment()), palette(), isEnabled(),
        fontMetrics().elidedText(text(), Qt::ElideRight, box.width()), foregroundRole());
}

} // namespace keepset::ui

#include "moc_elided_label.cpp"
