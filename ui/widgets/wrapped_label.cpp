#include "ui/widgets/wrapped_label.h"

#include <QEvent>

namespace keepset::ui {

WrappedLabel::WrappedLabel(QWidget* parent)
    : QLabel(parent)
{
    setWordWrap(true);
    setTextFormat(Qt::RichText);
}

void WrappedLabel::setWords(const QString& html)
{
    if (html == text())
        return;
    heights_.clear();
    setText(html);
}

int WrappedLabel::heightForWidth(int width) const
{
    const auto known = heights_.find(width);
    if (known != heights_.end())
        return known->second;
    return heights_[width] = QLabel::heightForWidth(width);
}

/// Whatever its words: it is as wide as it is given, and as high as that needs, which heightForWidth says.
QSize WrappedLabel::sizeHint() const { return { 200, fontMetrics().height() }; }

QSize WrappedLabel::minimumSizeHint() const { return { 60, fontMetrics().height() }; }

/// Another font, another style.
void WrappedLabel::changeEvent(QEvent* event)
{
    heights_.clear();
    QLabel::changeEvent(event);
}

} // namespace keepset::ui

#include "moc_wrapped_label.cpp"
