#include "ui/heatmap_geometry.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace keepset::ui {

namespace {

    constexpr double fewestColumns = 8;
    constexpr std::int64_t fan = 4; ///< cells of a level that make one of the next

    void clampAxis(double& begin, double& end, double fewest, double size)
    {
        const double length = std::clamp(end - begin, std::min(fewest, size), size);
        const double centre = (begin + end) / 2;
        begin = std::clamp(centre - length / 2, 0.0, size - length);
        end = begin + length;
    }

    std::int64_t blockCells(std::size_t level)
    {
        return std::int64_t { 1 } << (2 * level); // fan to the power of level
    }

} // namespace

MapView wholeMap(MapSize size)
{
    return { 0, static_cast<double>(std::max<std::int64_t>(size.columns, 1)), 0,
        static_cast<double>(std::max<std::int64_t>(size.rows, 1)) };
}

MapView clamped(MapView view, MapSize size, double fewestRows)
{
    const MapView whole = wholeMap(size);
    clampAxis(view.columnBegin, view.columnEnd, fewestColumns, whole.columnEnd);
    clampAxis(view.rowBegin, view.rowEnd, fewestRows, whole.rowEnd);
    return view;
}

MapView zoomed(MapView view, double factor, QPointF around, bool rowsToo)
{
    view.columnBegin = around.x() - (around.x() - view.columnBegin) * factor;
    view.columnEnd = around.x() + (view.columnEnd - around.x()) * factor;
    if (rowsToo) {
        view.rowBegin = around.y() - (around.y() - view.rowBegin) * factor;
        view.rowEnd = around.y() + (view.rowEnd - around.y()) * factor;
    }
    return view;
}

MapView panned(MapView view, QPointF pixels, QSizeF area)
{
    const double columns = -pixels.x() * view.columns() / area.width();
    const double rows = -pixels.y() * view.rows() / area.height();
    return { view.columnBegin + columns, view.columnEnd + columns, view.rowBegin + rows, view.rowEnd + rows };
}

MapView selected(MapView view, QRectF band, QRectF area)
{
    const QRectF inside = band.normalized().intersected(area);
    const QPointF first = cellPointAt(view, area, inside.topLeft());
    const QPointF last = cellPointAt(view, area, inside.bottomRight());
    return { first.x(), last.x(), first.y(), last.y() };
}

QPointF cellPointAt(const MapView& view, QRectF area, QPointF pixel)
{
    return { view.columnBegin + (pixel.x() - area.left()) / area.width() * view.columns(),
        view.rowBegin + (pixel.y() - area.top()) / area.height() * view.rows() };
}

QPointF pixelOf(const MapView& view, QRectF area, QPointF cellPoint)
{
    return { area.left() + (cellPoint.x() - view.columnBegin) / view.columns() * area.width(),
        area.top() + (cellPoint.y() - view.rowBegin) / view.rows() * area.height() };
}

std::optional<MapCell> cellAt(const MapView& view, MapSize size, QRectF area, QPointF pixel)
{
    if (!area.contains(pixel))
        return std::nullopt;
    const QPointF point = cellPointAt(view, area, pixel);
    const MapCell cell { static_cast<std::int64_t>(std::floor(point.y())),
        static_cast<std::int64_t>(std::floor(point.x())) };
    if (cell.row < 0 || cell.row >= size.rows || cell.column < 0 || cell.column >= size.columns)
        return std::nullopt;
    return cell;
}

CellRange cellsOfPixel(double begin, double end, int pixels, int index)
{
    const double perPixel = (end - begin) / pixels;
    const double first = begin + perPixel * index;
    if (perPixel <= 1) { // a cell is wider than a pixel: the one under the pixel's centre
        const auto cell = static_cast<std::int64_t>(std::floor(first + perPixel / 2));
        return { cell, cell + 1 };
    }
    const auto low = static_cast<std::int64_t>(std::ceil(first - 0.5));
    const auto high = static_cast<std::int64_t>(std::ceil(first + perPixel - 0.5));
    return { low, std::max(low + 1, high) };
}

std::vector<std::int64_t> cellTicks(double begin, double end, int most, bool decimal)
{
    std::int64_t step = 1;
    const auto next = [decimal](std::int64_t now) {
        if (!decimal)
            return now * 2;
        std::int64_t power = 1;
        while (power * 10 <= now)
            power *= 10;
        return now == power ? power * 2 : (now == power * 2 ? power * 5 : power * 10);
    };
    while ((end - begin) / static_cast<double>(step) > std::max(1, most))
        step = next(step);
    std::vector<std::int64_t> ticks;
    const auto first = static_cast<std::int64_t>(std::ceil(begin / static_cast<double>(step) - 1e-9)) * step;
    for (std::int64_t tick = first; static_cast<double>(tick) <= end - 0.5; tick += step)
        ticks.push_back(tick);
    const auto last = static_cast<std::int64_t>(std::floor(end - 0.5));
    if (!ticks.empty() && static_cast<double>(last - ticks.back()) >= 0.6 * static_cast<double>(step))
        ticks.push_back(last);
    return ticks;
}

MapPyramid::MapPyramid(std::span<const float> values, MapSize size)
    : values_(values)
    , size_(size)
{
    std::int64_t below = size.columns;
    while (below > fan) {
        const std::size_t level = levels_.size();
        Level next;
        next.columns = (below + fan - 1) / fan;
        next.largest.reserve(static_cast<std::size_t>(size.rows * next.columns));
        next.means.reserve(static_cast<std::size_t>(size.rows * next.columns));
        for (std::int64_t row = 0; row < size.rows; ++row) {
            for (std::int64_t block = 0; block < next.columns; ++block) {
                Sums sums { -std::numeric_limits<double>::infinity(), 0 };
                const CellRange cells { block * fan, std::min(below, (block + 1) * fan) };
                add(sums, level, row, cells);
                const std::int64_t width = blockCells(level);
                const std::int64_t covered = std::min(size.columns, cells.end * width) - cells.begin * width;
                next.largest.push_back(static_cast<float>(sums.largest));
                next.means.push_back(static_cast<float>(sums.sum / static_cast<double>(covered)));
            }
        }
        below = next.columns;
        levels_.push_back(std::move(next));
    }
}

/// Adds cells [begin, end) of a level (0: the values themselves, n: levels_[n - 1]).
void MapPyramid::add(Sums& sums, std::size_t level, std::int64_t row, CellRange blocks) const
{
    if (level == 0) {
        const float* cells = values_.data() + row * size_.columns;
        for (std::int64_t i = blocks.begin; i < blocks.end; ++i) {
            sums.largest = std::max(sums.largest, static_cast<double>(cells[i]));
            sums.sum += static_cast<double>(cells[i]);
        }
        return;
    }
    const Level& from = levels_[level - 1];
    const std::int64_t width = blockCells(level);
    for (std::int64_t i = blocks.begin; i < blocks.end; ++i) {
        const auto index = static_cast<std::size_t>(row * from.columns + i);
        const std::int64_t covered = std::min(size_.columns, (i + 1) * width) - i * width;
        sums.largest = std::max(sums.largest, static_cast<double>(from.largest[index]));
        sums.sum += static_cast<double>(from.means[index]) * static_cast<double>(covered);
    }
}

/// Adds columns of a row by the widest blocks that fit: ragged ends on each level, the middle on the next.
void MapPyramid::addRow(Sums& sums, std::int64_t row, CellRange columns) const
{
    CellRange left = columns;
    for (std::size_t level = 0;; ++level) {
        const std::int64_t first = (left.begin + fan - 1) / fan;
        const std::int64_t last = left.end / fan;
        if (level == levels_.size() || first >= last) {
            add(sums, level, row, left);
            return;
        }
        add(sums, level, row, { left.begin, first * fan });
        add(sums, level, row, { last * fan, left.end });
        left = { first, last };
    }
}

double MapPyramid::reduced(CellRange rows, CellRange columns, Reduction reduction) const
{
    const CellRange inRows { std::max<std::int64_t>(rows.begin, 0), std::min(rows.end, size_.rows) };
    const CellRange inColumns { std::max<std::int64_t>(columns.begin, 0), std::min(columns.end, size_.columns) };
    if (inRows.begin >= inRows.end || inColumns.begin >= inColumns.end)
        return std::numeric_limits<double>::quiet_NaN();
    Sums sums { -std::numeric_limits<double>::infinity(), 0 };
    for (std::int64_t row = inRows.begin; row < inRows.end; ++row)
        addRow(sums, row, inColumns);
    const std::int64_t cells = (inRows.end - inRows.begin) * (inColumns.end - inColumns.begin);
    return reduction == Reduction::max ? sums.largest : sums.sum / static_cast<double>(cells);
}

std::size_t MapPyramid::extraBytes() const
{
    std::size_t bytes = 0;
    for (const Level& level : levels_)
        bytes += (level.largest.size() + level.means.size()) * sizeof(float);
    return bytes;
}

} // namespace keepset::ui
