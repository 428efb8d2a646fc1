#include "ui/plot/readout_box.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>

namespace keepset::ui::plot {

namespace {

    constexpr double between = 10; ///< px between the columns of a line

    QFont boldOf(const QFont& font)
    {
        QFont bold = font;
        bold.setWeight(QFont::DemiBold);
        return bold;
    }

} // namespace

QRectF readoutBox(QSizeF size, QPointF point, QRectF canvas)
{
    QRectF box(QPointF(0, 0), size);
    const bool toLeft = point.x() + 14 + box.width() > canvas.right();
    const double left = toLeft ? point.x() - 14 - box.width() : point.x() + 14;
    const double lowest = std::max(canvas.top(), canvas.bottom() - box.height());
    box.moveTopLeft({ std::max(canvas.left(), left), std::clamp(point.y() - box.height() - 10, canvas.top(), lowest) });
    return box;
}

void paintReadoutFrame(QPainter& painter, const Style& style, QRectF box)
{
    painter.setPen(QPen(style.line, 1));
    painter.setBrush(style.panel);
    painter.drawRoundedRect(box, 6, 6);
}

void paintReadoutLines(QPainter& painter, const QStringList& lines, const Style& style, QPointF point, QRectF canvas)
{
    const QFontMetricsF metrics(boldOf(style.font));
    double first = 0; // width of the first column
    double second = 0;
    for (const QString& line : lines) {
        first = std::max(first, metrics.horizontalAdvance(line.section(QLatin1Char('\t'), 0, 0)));
        second = std::max(second, metrics.horizontalAdvance(line.section(QLatin1Char('\t'), 1)));
    }
    const double height = metrics.height() + 3;
    const double width = first + (second > 0 ? between + second : 0);
    const QRectF box = readoutBox({ width + 20, height * static_cast<double>(lines.size()) + 12 }, point, canvas);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    paintReadoutFrame(painter, style, box);
    QRectF row(box.left() + 10, box.top() + 6, width, height);
    for (qsizetype i = 0; i < lines.size(); ++i, row.translate(0, height)) {
        painter.setFont(i == 0 ? boldOf(style.font) : style.font);
        painter.setPen(style.ink);
        painter.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, lines[i].section(QLatin1Char('\t'), 0, 0));
        painter.setPen(style.muted);
        painter.drawText(row.adjusted(first + between, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
            lines[i].section(QLatin1Char('\t'), 1));
    }
    painter.restore();
}

} // namespace keepset::ui::plot
