#include "ui/plain_text.h"

#include <QTextDocument>

namespace keepset::ui {

QString literalToolTip(const QString& text)
{
    if (!Qt::mightBeRichText(text))
        return text;
    return QStringLiteral("<span style='white-space:pre-wrap'>%1</span>").arg(text.toHtmlEscaped());
}

} // namespace keepset::ui
