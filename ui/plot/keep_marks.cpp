#include "ui/plot/keep_marks.h"

#include "core/keep_counts.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QPainter>

#include <algorithm>
#include <array>

namespace keepset::ui::plot {

namespace {

    void paintPins(QPainter& painter, QRectF row, std::span<const Pin> pins, std::pair<double, double> positions,
        const Theme& colors)
    {
        constexpr double least = 2; // px that a mark is wide, so that none is lost
        const double scale = row.width() / (positions.second - positions.first);
        for (const Pin& pin : pins) {
            const double left = row.left() + (static_cast<double>(pin.begin) - positions.first) * scale;
            const double right = left + std::max(least, static_cast<double>(pin.end - pin.begin) * scale);
            const QRectF box = QRectF(left, row.top(), right - left, row.height()) & row;
            if (!box.isEmpty())
                drawPin(painter, pin.stays, box, colors);
        }
    }

} // namespace

void paintKeepMarks(
    QPainter& painter, QRectF row, const KeepMarks& marks, std::pair<double, double> positions, bool dark)
{
    // Bridges on top, and lower where they fill the bar: so they are told from the rest also without colour.
    constexpr std::array upwards { Label::kept, Label::local, Label::sink, Label::pinned, Label::important,
        Label::bridge };
    const Theme& colors = theme(dark);
    QColor ground = colors.line;
    ground.setAlphaF(0.45F);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(row, ground);
    painter.setRenderHint(QPainter::Antialiasing); // heights are parts of pixels
    painter.setPen(Qt::NoPen);
    const int pixels = static_cast<int>(row.width());
    CellRange before { -1, -1 };
    std::array<double, label_count> shares {};
    for (int x = 0; x < pixels; ++x) {
        const CellRange cells = cellsOfPixel(positions.first, positions.second, pixels, x);
        if (!(cells == before))
            shares = label_shares(marks.labels, cells.begin, cells.end);
        before = cells;
        double bottom = row.bottom();
        for (const Label label : upwards) {
            const double share = shares[static_cast<std::size_t>(label)];
            const double height = (label == Label::bridge && share == 1 ? 2.0 / 3 : share) * row.height();
            if (height <= 0)
                continue;
            painter.fillRect(QRectF(row.left() + x, bottom - height, 1, height),
                label == Label::kept ? colors.ink : colors.label(label));
            bottom -= height;
        }
    }
    paintPins(painter, row, marks.pins, positions, colors);
    painter.restore();
}

} // namespace keepset::ui::plot
