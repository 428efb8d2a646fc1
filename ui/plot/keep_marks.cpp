#include "ui/plot/keep_marks.h"

#include "core/keep_counts.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QImage>
#include <QPaintEngine>
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

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

    /// Of one pixel's bar: from and to which share of the height a label fills it.
    struct Stretch {
        Label label;
        double from;
        double to;
    };

    /// From the lowest up; bridges on top, and lower where they fill the bar: so they are told from the rest also
    /// without colour.
    std::vector<Stretch> stretchesOf(const std::array<double, label_count>& shares)
    {
        constexpr std::array upwards { Label::kept, Label::local, Label::sink, Label::pinned, Label::important,
            Label::bridge };
        std::vector<Stretch> stretches;
        double from = 0;
        for (const Label label : upwards) {
            const double share = shares[static_cast<std::size_t>(label)];
            const double to = from + (label == Label::bridge && share == 1 ? 2.0 / 3 : share);
            if (to > from)
                stretches.push_back({ label, from, to });
            from = to;
        }
        return stretches;
    }

    QColor colorOf(Label label, const Theme& colors) { return label == Label::kept ? colors.ink : colors.label(label); }

    /// Calls `paint` with every pixel of a row and its stretches.
    void forPixels(std::span<const Label> labels, int pixels, std::pair<double, double> positions,
        const std::function<void(int, const std::vector<Stretch>&)>& paint)
    {
        CellRange before { -1, -1 };
        std::vector<Stretch> stretches;
        for (int x = 0; x < pixels; ++x) {
            const CellRange cells = cellsOfPixel(positions.first, positions.second, pixels, x);
            if (!(cells == before))
                stretches = stretchesOf(label_shares(labels, cells.begin, cells.end));
            before = cells;
            paint(x, stretches);
        }
    }

    /// The bars as a picture of `size` pixels: thousands of rectangles take a painter longer than a frame. The ends of
    /// a stretch cover parts of pixels.
    QImage pictureOf(
        std::span<const Label> labels, QSize size, std::pair<double, double> positions, const Theme& colors)
    {
        QImage image(size, QImage::Format_ARGB32_Premultiplied);
        image.fill(Qt::transparent);
        const auto cover = [](QRgb& pixel, double share, const QColor& color) {
            const auto add = [share](int there, int more) {
                return std::min(255, there + static_cast<int>(std::lround(share * more)));
            };
            pixel = qRgba(add(qRed(pixel), color.red()), add(qGreen(pixel), color.green()),
                add(qBlue(pixel), color.blue()), add(qAlpha(pixel), 255));
        };
        const qsizetype line = image.bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
        auto* const bottom = reinterpret_cast<QRgb*>(image.bits()) + (size.height() - 1) * line;
        forPixels(labels, size.width(), positions, [&](int x, const std::vector<Stretch>& stretches) {
            for (const Stretch& stretch : stretches) {
                const QColor color = colorOf(stretch.label, colors);
                const double low = stretch.from * size.height();
                const double high = std::min(1.0, stretch.to) * size.height();
                for (int up = static_cast<int>(low); up < high; ++up)
                    cover(bottom[x - up * line], std::min(high, up + 1.0) - std::max(low, static_cast<double>(up)),
                        color);
            }
        });
        return image;
    }

    /// The bars as rectangles, for what is no picture: SVG, PDF.
    void paintBars(QPainter& painter, QRectF row, std::span<const Label> labels, std::pair<double, double> positions,
        const Theme& colors)
    {
        painter.setRenderHint(QPainter::Antialiasing); // heights are parts of pixels
        painter.setPen(Qt::NoPen);
        forPixels(labels, static_cast<int>(row.width()), positions, [&](int x, const std::vector<Stretch>& stretches) {
            for (const Stretch& stretch : stretches) {
                const double top = row.bottom() - stretch.to * row.height();
                const double bottom = row.bottom() - stretch.from * row.height();
                painter.fillRect(QRectF(row.left() + x, top, 1, bottom - top), colorOf(stretch.label, colors));
            }
        });
    }

} // namespace

void paintKeepMarks(
    QPainter& painter, QRectF row, const KeepMarks& marks, std::pair<double, double> positions, bool dark)
{
    const Theme& colors = theme(dark);
    QColor ground = colors.line;
    ground.setAlphaF(0.45F);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(row, ground);
    const int pixels = static_cast<int>(row.width());
    if (painter.paintEngine()->type() == QPaintEngine::Raster && pixels > 0) {
        const int height = std::max(1, qRound(row.height() * painter.deviceTransform().m22()));
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        painter.drawImage(QRectF(row.left(), row.top(), pixels, row.height()),
            pictureOf(marks.labels, { pixels, height }, positions, colors));
        painter.setRenderHint(QPainter::Antialiasing);
    } else {
        paintBars(painter, row, marks.labels, positions, colors);
    }
    paintPins(painter, row, marks.pins, positions, colors);
    painter.restore();
}

} // namespace keepset::ui::plot
