#include "ui/plot/heatmap.h"

#include "ui/csv.h"
#include "ui/format.h"

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

std::shared_ptr<const MapValues> ownedValues(std::vector<float> values, MapSize size)
{
    auto result = std::make_shared<MapValues>();
    result->own = std::move(values);
    result->values = result->own;
    result->pyramid = MapPyramid(result->values, size);
    return result;
}

std::shared_ptr<const MapValues> borrowedValues(
    std::shared_ptr<const void> keeper, std::span<const float> values, MapSize size)
{
    auto result = std::make_shared<MapValues>();
    result->keeper = std::move(keeper);
    result->values = values;
    result->pyramid = MapPyramid(values, size);
    return result;
}

std::function<QString(std::int64_t)> tokenNames(std::shared_ptr<const Analysis> analysis)
{
    return [analysis = std::move(analysis)](std::int64_t token) {
        return formatToken(QString::fromStdString(analysis->tokens[static_cast<std::size_t>(token)].text));
    };
}

QImage renderMap(
    const MapPyramid& pyramid, const MapView& view, QSize pixels, const ValueScale& scale, Reduction reduction)
{
    QImage image(pixels, QImage::Format_RGB32);
    std::vector<CellRange> columns;
    columns.reserve(static_cast<std::size_t>(pixels.width()));
    for (int x = 0; x < pixels.width(); ++x)
        columns.push_back(cellsOfPixel(view.columnBegin, view.columnEnd, pixels.width(), x));
    CellRange before { -1, -1 };
    for (int y = 0; y < pixels.height(); ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        const CellRange rows = cellsOfPixel(view.rowBegin, view.rowEnd, pixels.height(), y);
        if (rows == before) {
            std::copy_n(reinterpret_cast<const QRgb*>(image.constScanLine(y - 1)), pixels.width(), line);
            continue;
        }
        before = rows;
        for (int x = 0; x < pixels.width(); ++x) {
            const CellRange cells = columns[static_cast<std::size_t>(x)];
            const bool same = x > 0 && cells == columns[static_cast<std::size_t>(x - 1)];
            line[x] = same ? line[x - 1] : viridis(scale.position(pyramid.reduced(rows, cells, reduction)));
        }
    }
    return image;
}

QImage renderHeatmap(const Heatmap& heatmap, const MapView& view, QSize pixels)
{
    if (heatmap.heads)
        return renderHeads(*heatmap.heads, view, pixels, heatmap.scale, heatmap.reduction);
    if (heatmap.values)
        return renderMap(heatmap.values->pyramid, view, pixels, heatmap.scale, heatmap.reduction);
    return renderTiles(heatmap.tiles, view, pixels, heatmap.scale);
}

QString heatmapCsv(const Heatmap& heatmap, const MapView& view, std::int64_t most)
{
    const QString valueTitle = heatmap.valueTitle.isEmpty() ? QStringLiteral("value") : heatmap.valueTitle;
    QString csv
        = QStringLiteral("%1,position_begin,position_end,%2\r\n").arg(csvField(heatmap.rowTitle), csvField(valueTitle));
    if (heatmap.heads)
        return headBinsCsv(*heatmap.heads, view);
    if (!heatmap.values)
        return csv;
    const MapSize size = heatmap.size();
    const auto firstRow = static_cast<std::int64_t>(std::floor(view.rowBegin));
    const auto lastRow = std::min(size.rows, static_cast<std::int64_t>(std::ceil(view.rowEnd)));
    const auto first = static_cast<std::int64_t>(std::floor(view.columnBegin));
    const auto last = std::min(size.columns, static_cast<std::int64_t>(std::ceil(view.columnEnd)));
    const std::int64_t width = std::max<std::int64_t>(1, ((lastRow - firstRow) * (last - first) + most - 1) / most);
    for (std::int64_t row = firstRow; row < lastRow; ++row) {
        for (std::int64_t column = first; column < last; column += width) {
            const std::int64_t end = std::min(last, column + width);
            const double value = heatmap.values->pyramid.reduced({ row, row + 1 }, { column, end }, heatmap.reduction);
            csv += QStringLiteral("%1,%2,%3,%4\r\n")
                       .arg(row)
                       .arg(column)
                       .arg(end)
                       .arg(csvNumber(static_cast<float>(value)));
        }
    }
    return csv;
}

} // namespace keepset::ui::plot
