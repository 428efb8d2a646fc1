#include "ui/plot/attention_tiles.h"

#include "ui/csv.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace keepset::ui::plot {

namespace {

    constexpr std::size_t mostSamples = std::size_t { 1 } << 18;

    struct Span {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        std::int64_t cells = 0; ///< most
    };

    /// Whole positions of [begin, end) with at least `pixels` cells where there are as many positions.
    Span spanFor(double begin, double end, std::int64_t context, std::int64_t pixels)
    {
        Span span;
        span.begin = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(begin)), 0, context - 1);
        span.end = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(end)), span.begin + 1, context);
        const std::int64_t size
            = std::max<std::int64_t>(1, (span.end - span.begin) / std::max<std::int64_t>(1, pixels));
        span.begin -= span.begin % size;
        span.end = std::min(context, (span.end + size - 1) / size * size);
        span.cells = (span.end - span.begin + size - 1) / size;
        return span;
    }

    /// Reads blocks of cells of a map; borrows it.
    class TileReader {
    public:
        explicit TileReader(const AttentionMap& map)
            : map_(map)
        {
            const AttentionMapRequest& range = map.request;
            for (std::int64_t at = range.query_begin; at < range.query_end; at = rowEdges_.back())
                rowEdges_.push_back(cell_at(map, at, range.key_begin)->query_end);
            for (std::int64_t at = range.key_begin; at < range.key_end; at = columnEdges_.back())
                columnEdges_.push_back(cell_at(map, range.query_begin, at)->key_end);
        }
        /// Positions [begin, end) of cell rows, and of cell columns.
        CellRange queries(CellRange rows) const { return edges(rowEdges_, map_.request.query_begin, rows); }
        CellRange keys(CellRange columns) const { return edges(columnEdges_, map_.request.key_begin, columns); }

        /// Largest or mean over a block, in which hidden positions count as 0; below 0 where all are hidden; NaN where
        /// a cell is.
        double reduced(CellRange rows, CellRange columns) const
        {
            float largest = -1;
            for (std::int64_t row = rows.begin; row < rows.end; ++row) {
                const float* cells = map_.cells.data() + row * map_.columns;
                for (std::int64_t column = columns.begin; column < columns.end; ++column) {
                    if (std::isnan(cells[column]))
                        return static_cast<double>(cells[column]);
                    largest = std::max(largest, cells[column]);
                }
            }
            const bool one = rows.end - rows.begin == 1 && columns.end - columns.begin == 1;
            if (largest < 0 || one || map_.request.reduction == CellReduction::max)
                return static_cast<double>(largest);
            return mean(rows, columns);
        }

    private:
        static CellRange edges(const std::vector<std::int64_t>& ends, std::int64_t begin, CellRange cells)
        {
            return { cells.begin == 0 ? begin : ends[static_cast<std::size_t>(cells.begin - 1)],
                ends[static_cast<std::size_t>(cells.end - 1)] };
        }
        double mean(CellRange rows, CellRange columns) const
        {
            double sum = 0;
            for (std::int64_t row = rows.begin; row < rows.end; ++row) {
                const float* cells = map_.cells.data() + row * map_.columns;
                const double queries = positions(rowEdges_, map_.request.query_begin, row);
                for (std::int64_t column = columns.begin; column < columns.end; ++column)
                    sum += std::max(0.0, static_cast<double>(cells[column])) * queries
                        * positions(columnEdges_, map_.request.key_begin, column);
            }
            const CellRange q = this->queries(rows);
            const CellRange k = keys(columns);
            return sum / (static_cast<double>(q.end - q.begin) * static_cast<double>(k.end - k.begin));
        }
        static double positions(const std::vector<std::int64_t>& ends, std::int64_t begin, std::int64_t cell)
        {
            const CellRange range = edges(ends, begin, { cell, cell + 1 });
            return static_cast<double>(range.end - range.begin);
        }

        const AttentionMap& map_;
        std::vector<std::int64_t> rowEdges_; ///< first query behind each row of cells
        std::vector<std::int64_t> columnEdges_; ///< first key behind each column of cells
    };

    /// One axis of a tile under the pixels of a view.
    struct PixelCells {
        int first = 0; ///< pixels [first, last) have their centre in the tile
        int last = 0;
        std::vector<CellRange> cells; ///< (last - first) of the tile
    };

    PixelCells pixelCells(CellRange view, double viewBegin, double viewEnd, int pixels, std::int64_t count)
    {
        const double perPixel = (viewEnd - viewBegin) / pixels;
        const auto begin = static_cast<double>(view.begin);
        const auto end = static_cast<double>(view.end);
        const double scale = static_cast<double>(count) / (end - begin);
        PixelCells result;
        for (int pixel = 0; pixel < pixels; ++pixel) {
            const double centre = viewBegin + (pixel + 0.5) * perPixel;
            if (centre < begin || centre >= end)
                continue;
            if (result.cells.empty())
                result.first = pixel;
            result.last = pixel + 1;
            CellRange cells = cellsOfPixel((viewBegin - begin) * scale, (viewEnd - begin) * scale, pixels, pixel);
            cells.begin = std::clamp<std::int64_t>(cells.begin, 0, count - 1);
            cells.end = std::clamp<std::int64_t>(cells.end, cells.begin + 1, count);
            result.cells.push_back(cells);
        }
        return result;
    }

    QRgb colorOf(double value, const ValueScale& scale)
    {
        return value < 0 ? qRgba(0, 0, 0, 0) : viridis(scale.position(value)) | 0xff000000U;
    }

    void renderTile(QImage& image, const AttentionMap& map, const MapView& view, const ValueScale& scale)
    {
        const AttentionMapRequest& range = map.request;
        const PixelCells columns = pixelCells(
            { range.key_begin, range.key_end }, view.columnBegin, view.columnEnd, image.width(), map.columns);
        const PixelCells rows
            = pixelCells({ range.query_begin, range.query_end }, view.rowBegin, view.rowEnd, image.height(), map.rows);
        const TileReader reader(map);
        for (int y = rows.first; y < rows.last; ++y) {
            auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
            const CellRange row = rows.cells[static_cast<std::size_t>(y - rows.first)];
            if (y > rows.first && row == rows.cells[static_cast<std::size_t>(y - rows.first - 1)]) {
                const auto* above = reinterpret_cast<const QRgb*>(image.constScanLine(y - 1));
                std::copy(above + columns.first, above + columns.last, line + columns.first);
                continue;
            }
            for (int x = columns.first; x < columns.last; ++x) {
                const auto index = static_cast<std::size_t>(x - columns.first);
                const bool same = index > 0 && columns.cells[index] == columns.cells[index - 1];
                line[x] = same ? line[x - 1] : colorOf(reader.reduced(row, columns.cells[index]), scale);
            }
        }
    }

    bool covers(const AttentionMapRequest& range, const AttentionMapRequest& part)
    {
        return range.query_begin <= part.query_begin && range.query_end >= part.query_end
            && range.key_begin <= part.key_begin && range.key_end >= part.key_end;
    }

} // namespace

AttentionMapRequest requestFor(const MapView& view, std::int64_t context, QSize pixels, const AttentionMapRequest& like)
{
    const Span queries = spanFor(view.rowBegin, view.rowEnd, context, pixels.height());
    const Span keys = spanFor(view.columnBegin, view.columnEnd, context, pixels.width());
    AttentionMapRequest request = like;
    request.query_begin = queries.begin;
    request.query_end = queries.end;
    request.most_rows = queries.cells;
    request.key_begin = keys.begin;
    request.key_end = keys.end;
    request.most_columns = keys.cells;
    return request;
}

bool serves(const AttentionMap& map, const AttentionMapRequest& request)
{
    const AttentionMapRequest& has = map.request;
    if (has.layer != request.layer || has.head != request.head || has.reduction != request.reduction
        || !covers(has, request))
        return false;
    const auto fine = [](std::int64_t length, std::int64_t cells, std::int64_t wanted, std::int64_t most) {
        const std::int64_t size = (length + cells - 1) / cells;
        return size <= (wanted + most - 1) / most;
    };
    return fine(has.query_end - has.query_begin, map.rows, request.query_end - request.query_begin, request.most_rows)
        && fine(has.key_end - has.key_begin, map.columns, request.key_end - request.key_begin, request.most_columns);
}

std::optional<AttentionCell> cellAt(const AttentionTiles& tiles, MapCell position)
{
    for (std::size_t left = tiles.size(); left > 0; --left) {
        if (const auto cell = cell_at(*tiles[left - 1], position.row, position.column))
            return cell;
    }
    return std::nullopt;
}

std::vector<float> visibleValues(const AttentionMap& map)
{
    const std::size_t step = std::max<std::size_t>(1, map.cells.size() / mostSamples);
    std::vector<float> values;
    values.reserve(std::min(map.cells.size(), 2 * mostSamples) + 1);
    float largest = -1;
    for (std::size_t i = 0; i < map.cells.size(); ++i) {
        const float value = map.cells[i];
        largest = std::max(largest, value); // a NaN is no larger
        if (i % step == 0 && value >= 0)
            values.push_back(value);
    }
    if (largest >= 0)
        values.push_back(largest);
    return values;
}

QImage renderTiles(const AttentionTiles& tiles, const MapView& view, QSize pixels, const ValueScale& scale)
{
    QImage image(pixels, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    for (const auto& tile : tiles)
        renderTile(image, *tile, view, scale);
    return image;
}

QString tilesCsv(const AttentionTiles& tiles, const MapView& view, std::int64_t most)
{
    QString csv = QStringLiteral("query_begin,query_end,key_begin,key_end,probability\r\n");
    if (tiles.empty())
        return csv;
    const AttentionMap& map = *tiles.back();
    const TileReader reader(map);
    std::int64_t step = 1;
    while ((map.rows / step) * (map.columns / step) > most)
        ++step;
    for (std::int64_t row = 0; row < map.rows; row += step) {
        const CellRange rows { row, std::min(map.rows, row + step) };
        const CellRange queries = reader.queries(rows);
        if (static_cast<double>(queries.end) <= view.rowBegin || static_cast<double>(queries.begin) >= view.rowEnd)
            continue;
        for (std::int64_t column = 0; column < map.columns; column += step) {
            const CellRange columns { column, std::min(map.columns, column + step) };
            const CellRange keys = reader.keys(columns);
            if (static_cast<double>(keys.end) <= view.columnBegin || static_cast<double>(keys.begin) >= view.columnEnd)
                continue;
            const double value = reader.reduced(rows, columns);
            if (value < 0)
                continue;
            csv += QStringLiteral("%1,%2,%3,%4,%5\r\n")
                       .arg(queries.begin)
                       .arg(queries.end)
                       .arg(keys.begin)
                       .arg(keys.end)
                       .arg(csvNumber(static_cast<float>(value)));
        }
    }
    return csv;
}

} // namespace keepset::ui::plot
