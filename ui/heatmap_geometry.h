#pragma once

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <QString>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Which cells of a map stand where, and what a pixel shows when several cells share it. Pure, no window.
namespace keepset::ui {

/// The part of a map that is looked at, in cells; whole numbers are the edges of cells.
struct MapView {
    double columnBegin = 0;
    double columnEnd = 1;
    double rowBegin = 0;
    double rowEnd = 1;

    double columns() const { return columnEnd - columnBegin; }
    double rows() const { return rowEnd - rowBegin; }
    bool operator==(const MapView&) const = default;
};

struct MapSize {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    bool operator==(const MapSize&) const = default;
};

struct MapCell {
    std::int64_t row = 0;
    std::int64_t column = 0;
    bool operator==(const MapCell&) const = default;
};

/// Cells [begin, end) that a pixel covers; never empty.
struct CellRange {
    std::int64_t begin = 0;
    std::int64_t end = 1;
    bool operator==(const CellRange&) const = default;
};

/// Everything.
MapView wholeMap(MapSize size);
/// The view moved back inside the map, not larger than it and not closer than 8 columns and `fewestRows` rows.
MapView clamped(MapView view, MapSize size, double fewestRows = 1);
/// Zoomed by `factor` (< 1: closer) along the columns, and along the rows where `rowsToo`; the cell point `around`
/// stays in place.
MapView zoomed(MapView view, double factor, QPointF around, bool rowsToo);
/// Moved by a distance in pixels of a map painted at `area`.
MapView panned(MapView view, QPointF pixels, QSizeF area);
/// The view inside a rubber band, both in the coordinates of `area`.
MapView selected(MapView view, QRectF band, QRectF area);

/// Point in cells (column, row) under a pixel, and back.
QPointF cellPointAt(const MapView& view, QRectF area, QPointF pixel);
QPointF pixelOf(const MapView& view, QRectF area, QPointF cellPoint);
/// The cell under a pixel; nothing outside the map or outside `area`.
std::optional<MapCell> cellAt(const MapView& view, MapSize size, QRectF area, QPointF pixel);
/// Cells that pixel `index` of `pixels` shows along one axis: those whose area it touches by at least its centre, so
/// that a cell narrower than a pixel is shared out to exactly one pixel.
CellRange cellsOfPixel(double begin, double end, int pixels, int index);

/// Whole positions to label: a power of two apart (decimal: 1, 2 or 5 times a power of ten), at most `most`; always the
/// first cell, and the last one of the map where there is room for it.
std::vector<std::int64_t> cellTicks(double begin, double end, int most, bool decimal);

/// What a pixel shows when several cells share it.
enum class Reduction { max, mean };

/// Values of a map with what zooming out needs: maxima and means of 4, 16, 64, … neighbours in a row.
/// Holds 2/3 of the map's own size beside it; the values themselves are borrowed and must outlive it.
class MapPyramid {
public:
    MapPyramid() = default;
    /// values (rows, columns), row by row.
    MapPyramid(std::span<const float> values, MapSize size);

    MapSize size() const { return size_; }
    float at(MapCell cell) const { return values_[static_cast<std::size_t>(cell.row * size_.columns + cell.column)]; }
    /// Exact maximum or mean (to rounding) over rows × columns.
    double reduced(CellRange rows, CellRange columns, Reduction reduction) const;
    /// Bytes beside the values.
    std::size_t extraBytes() const;

private:
    struct Level {
        std::int64_t columns = 0;
        std::vector<float> largest; ///< (rows, columns)
        std::vector<float> means; ///< (rows, columns)
    };
    struct Sums {
        double largest;
        double sum;
    };
    void add(Sums& sums, std::size_t level, std::int64_t row, CellRange blocks) const;
    void addRow(Sums& sums, std::int64_t row, CellRange columns) const;

    std::span<const float> values_; // (rows, columns)
    MapSize size_;
    std::vector<Level> levels_; ///< levels_[0] has blocks of 4 cells
};

} // namespace keepset::ui
