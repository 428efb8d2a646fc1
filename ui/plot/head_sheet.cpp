#include "ui/plot/head_sheet.h"

#include "ui/csv.h"

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    /// Pixels [begin, end) of a tile along one axis, without the gap behind it.
    struct Stretch {
        int begin = 0;
        int end = 0;
    };

    Stretch stretchOf(double viewBegin, double viewEnd, int pixels, std::int64_t tile)
    {
        const double perTile = pixels / (viewEnd - viewBegin);
        const auto edge = [&](std::int64_t at) {
            return static_cast<int>(std::lround((static_cast<double>(at) - viewBegin) * perTile));
        };
        const int gap = perTile >= 12 ? 2 : (perTile >= 4 ? 1 : 0);
        return { edge(tile), std::max(edge(tile) + 1, edge(tile + 1) - gap) };
    }

    std::int64_t firstOf(double begin)
    {
        return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(begin)));
    }

    std::int64_t lastOf(double end, std::int64_t all)
    {
        return std::min(all, static_cast<std::int64_t>(std::ceil(end)));
    }

    /// Largest, or mean over the tokens, of bins of one head. A bin that is no number makes the pixel none.
    double reduced(const HeadSummaries& heads, std::size_t row, CellRange bins, Reduction reduction)
    {
        const std::size_t first = row * static_cast<std::size_t>(heads.bins);
        double largest = -std::numeric_limits<double>::infinity();
        double sum = 0;
        for (std::int64_t bin = bins.begin; bin < bins.end; ++bin) {
            const auto index = first + static_cast<std::size_t>(bin);
            const auto value = static_cast<double>(heads.largest[index]);
            largest = std::isnan(largest) || largest >= value ? largest : value;
            sum += static_cast<double>(heads.means[index])
                * static_cast<double>(heads.begin_of(bin + 1) - heads.begin_of(bin));
        }
        const auto tokens = static_cast<double>(heads.begin_of(bins.end) - heads.begin_of(bins.begin));
        return reduction == Reduction::max ? largest : sum / tokens;
    }

} // namespace

QImage renderHeads(
    const HeadSummaries& heads, const MapView& view, QSize pixels, const ValueScale& scale, Reduction reduction)
{
    QImage image(pixels, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    for (std::int64_t layer = firstOf(view.rowBegin); layer < lastOf(view.rowEnd, heads.layers_done); ++layer) {
        const Stretch down = stretchOf(view.rowBegin, view.rowEnd, pixels.height(), layer);
        const int top = std::max(0, down.begin);
        const int bottom = std::min(pixels.height(), down.end);
        if (top >= bottom)
            continue;
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(top));
        for (std::int64_t head = firstOf(view.columnBegin); head < lastOf(view.columnEnd, heads.heads); ++head) {
            const Stretch across = stretchOf(view.columnBegin, view.columnEnd, pixels.width(), head);
            for (int x = std::max(0, across.begin); x < std::min(pixels.width(), across.end); ++x) {
                const CellRange bins
                    = cellsOfPixel(0, static_cast<double>(heads.bins), across.end - across.begin, x - across.begin);
                line[x] = viridis(scale.position(reduced(heads, heads.index(layer, head), bins, reduction)));
            }
        }
        for (int y = top + 1; y < bottom; ++y)
            std::copy_n(line, pixels.width(), reinterpret_cast<QRgb*>(image.scanLine(y)));
    }
    return image;
}

QString headBinsCsv(const HeadSummaries& heads, const MapView& view)
{
    QString csv = QStringLiteral("layer,head,position_begin,position_end,largest,mean\r\n");
    for (std::int64_t layer = firstOf(view.rowBegin); layer < lastOf(view.rowEnd, heads.layers_done); ++layer) {
        for (std::int64_t head = firstOf(view.columnBegin); head < lastOf(view.columnEnd, heads.heads); ++head) {
            for (std::int64_t bin = 0; bin < heads.bins; ++bin) {
                const auto index
                    = heads.index(layer, head) * static_cast<std::size_t>(heads.bins) + static_cast<std::size_t>(bin);
                csv += QStringLiteral("%1,%2,%3,%4,%5,%6\r\n")
                           .arg(layer)
                           .arg(head)
                           .arg(heads.begin_of(bin))
                           .arg(heads.begin_of(bin + 1))
                           .arg(csvNumber(heads.largest[index]), csvNumber(heads.means[index]));
            }
        }
    }
    return csv;
}

} // namespace keepset::ui::plot
