#include "ui/plot/keep_marks.h"

#include "core/keep_counts.h"
#include "ui/theme.h"

#include <QPainter>

#include <algorithm>

namespace keepset::ui::plot {

void paintKeepMarks(
    QPainter& painter, QRectF row, const std::vector<Label>& labels, std::pair<double, double> positions, bool dark)
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
            shares = label_shares(labels, cells.begin, cells.end);
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
    painter.restore();
}

} // namespace keepset::ui::plot
