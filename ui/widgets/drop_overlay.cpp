#include "ui/widgets/drop_overlay.h"

#include "ui/theme.h"

#include <QPainter>

#include <algorithm>

namespace keepset::ui {

DropOverlay::DropOverlay(QWidget* window)
    : QWidget(window)
{
    setObjectName(QStringLiteral("dropOverlay"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAccessibleName(tr("Drop a model folder, a text, a run or trace"));
    hide();
}

void DropOverlay::cover(const QString& what)
{
    what_ = what;
    setAccessibleDescription(what);
    setGeometry(parentWidget()->rect());
    show();
    raise();
    update();
}

void DropOverlay::paintEvent(QPaintEvent*)
{
    constexpr double edge = 14; // px
    const Theme& colors = themeOf(this);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor veil = colors.window;
    veil.setAlphaF(0.92F);
    painter.fillRect(rect(), veil);
    QColor ground = colors.accent;
    ground.setAlphaF(0.08F);
    painter.setBrush(ground);
    painter.setPen(QPen(colors.accent, 2, Qt::DashLine));
    painter.drawRoundedRect(QRectF(rect()).adjusted(edge, edge, -edge, -edge), cardRadius, cardRadius);
    const QFont large = interfaceFont(20, true);
    const QFontMetrics metrics(large);
    const QRect words = rect().adjusted(40, 0, -40, 0);
    painter.setFont(large);
    painter.setPen(colors.ink);
    const QRect heading = painter.boundingRect(words, Qt::AlignCenter | Qt::TextWordWrap, accessibleName());
    painter.drawText(heading, Qt::AlignCenter | Qt::TextWordWrap, accessibleName());
    painter.setFont(interfaceFont(13));
    painter.setPen(colors.muted);
    painter.drawText(QRect(words.left(), heading.bottom() + 10, words.width(), metrics.height()), Qt::AlignCenter,
        QFontMetrics(painter.font()).elidedText(what_, Qt::ElideMiddle, words.width()));
}

} // namespace keepset::ui

#include "moc_drop_overlay.cpp"
