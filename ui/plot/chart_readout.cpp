#include "ui/plot/chart.h"
#include "ui/plot/readout_box.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    /// What one series has at the x of the read-out.
    struct Row {
        const Series* series = nullptr;
        QString value;
        bool chosen = false;
    };

    std::vector<Row> rowsAt(const Chart& chart, PointRef at)
    {
        const double x = chart.series[at.series].points[at.point].x;
        std::vector<Row> rows;
        for (std::size_t s = 0; s < chart.series.size(); ++s) {
            for (const ChartPoint& point : chart.series[s].points) {
                if (std::abs(point.x - x) > 1e-9 || !std::isfinite(point.y))
                    continue;
                QString value = valueText(point.y, chart.y.format);
                if (std::isfinite(point.low) && std::isfinite(point.high))
                    value += QStringLiteral("   %1 … %2")
                                 .arg(valueText(point.low, chart.y.format), valueText(point.high, chart.y.format));
                rows.push_back({ &chart.series[s], value, s == at.series });
            }
        }
        return rows;
    }

    QFont boldOf(const QFont& font)
    {
        QFont bold = font;
        bold.setWeight(QFont::DemiBold);
        return bold;
    }

    /// "Sparsity  90%": the axis without the words behind its first.
    QString headingOf(const Chart& chart, PointRef at)
    {
        const double x = chart.series[at.series].points[at.point].x;
        return QStringLiteral("%1  %2").arg(
            chart.x.title.section(QLatin1Char(' '), 0, 0), valueText(x, chart.x.format));
    }

    void paintRows(QPainter& painter, const std::vector<Row>& rows, const Style& style, QRectF line)
    {
        for (const Row& row : rows) {
            line.translate(0, line.height());
            painter.setFont(row.chosen ? boldOf(style.font) : style.font);
            const QPointF mark(line.left() + 4, line.center().y());
            drawMarker(painter, mark, row.series->look.marker, row.series->look.on(style), style.panel, 7);
            painter.setPen(style.ink);
            painter.drawText(line.adjusted(16, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, row.series->name);
            painter.setPen(row.chosen ? style.ink : style.muted);
            painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, row.value);
        }
    }

} // namespace

void paintReadout(QPainter& painter, const Chart& chart, const ChartLayout& layout, const Style& style, PointRef at)
{
    const std::vector<Row> rows = rowsAt(chart, at);
    const QString heading = headingOf(chart, at);
    const QFontMetricsF metrics(boldOf(style.font));
    double width = metrics.horizontalAdvance(heading);
    for (const Row& row : rows)
        width = std::max(width, metrics.horizontalAdvance(row.series->name + QStringLiteral("    ") + row.value) + 16);
    const QPointF point = positionOf(chart, layout, at);
    const double rowHeight = metrics.height() + 3;
    const QSizeF size(width + 20, rowHeight * static_cast<double>(rows.size() + 1) + 12);
    const QRectF box = readoutBox(size, point, layout.canvas);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(style.muted, 1, Qt::DotLine));
    painter.drawLine(QPointF(point.x(), layout.plot.top()), QPointF(point.x(), layout.plot.bottom()));
    painter.setPen(QPen(style.ink, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(point, 7, 7);
    paintReadoutFrame(painter, style, box);
    const QRectF line(box.left() + 10, box.top() + 6, box.width() - 20, rowHeight);
    painter.setFont(boldOf(style.font));
    painter.setPen(style.ink);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, heading);
    paintRows(painter, rows, style, line);
    painter.restore();
}

} // namespace keepset::ui::plot
