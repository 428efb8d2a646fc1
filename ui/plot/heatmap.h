#pragma once

#include "core/choices.h"
#include "core/selection.h"
#include "ui/color_map.h"
#include "ui/heatmap_geometry.h"
#include "ui/plot/attention_tiles.h"
#include "ui/plot/head_sheet.h"
#include "ui/plot/style.h"

#include <QImage>

#include <functional>
#include <memory>
#include <optional>

class QPainter;

/// A map of values with axes, colour bar and marks as plain data, and painting it with any QPainter.
namespace keepset::ui::plot {

/// Values of a map and what keeps them alive. Immutable.
struct MapValues {
    std::vector<float> own; ///< (rows, columns), where they were made for the map
    std::shared_ptr<const void> keeper; ///< of borrowed values
    std::span<const float> values; ///< (rows, columns)
    MapPyramid pyramid;
};
/// Takes values made for the map; (rows, columns).
std::shared_ptr<const MapValues> ownedValues(std::vector<float> values, MapSize size);
/// Borrows values that `keeper` holds; (rows, columns).
std::shared_ptr<const MapValues> borrowedValues(
    std::shared_ptr<const void> keeper, std::span<const float> values, MapSize size);

/// What a policy keeps, under the map.
struct MarkStrip {
    QString name;
    std::vector<Label> labels; ///< (columns)
    std::vector<Pin> pins; ///< what the user marked
};

/// Those of two policies; one that chose nothing has none.
std::vector<MarkStrip> marksOf(
    const std::optional<RowSelection>& a, const std::optional<RowSelection>& b, const std::vector<Pin>& pins);

/// The texts of an analysis' tokens, for axes.
std::function<QString(std::int64_t)> tokenNames(std::shared_ptr<const Analysis> analysis);

/// Values are given whole, or, where the map is too large for that, as tiles of what is looked at; or every cell is a
/// small picture of a head. Of tokens × tokens and of heads both axes zoom together.
struct Heatmap {
    QString title;
    QString subtitle;
    QString rowTitle; ///< "layer"
    QString columnTitle; ///< "token position"
    QString valueTitle; ///< at the colour bar
    std::shared_ptr<const MapValues> values; ///< null: none yet
    AttentionTiles tiles; ///< in place of values
    std::shared_ptr<const HeadSummaries> heads; ///< in place of values: layers × query heads
    std::int64_t tokens = 0; ///< rows and columns of the map that tiles are of
    std::function<QString(std::int64_t)> name; ///< of a token, beside its position where there is room; may be empty
    ValueScale scale;
    Beyond beyond; ///< cells beyond a scale that is locked
    Reduction reduction = Reduction::max;
    std::vector<MarkStrip> marks;
    std::optional<CellRange> chosenRows;
    std::optional<std::int64_t> chosenColumn;
    std::optional<CellRange> chosenHeads; ///< of chosenRows
    QString emptyText;

    MapSize size() const
    {
        if (heads)
            return { heads->layers, heads->heads };
        return values ? values->pyramid.size() : MapSize { tokens, tokens };
    }
    bool filled() const { return values || heads || !tiles.empty(); }
    bool tiled() const { return tokens > 0; }
    bool zoomsAsOne() const { return tiled() || heads; }
};

struct HeatmapLayout {
    QRectF canvas;
    QRectF map;
    QRectF colorBar;
    std::vector<QRectF> strips; ///< one a MarkStrip
    bool named = false; ///< axes have the names of tokens
    bool titled = true; ///< there is room for the title of the columns
};

/// The map's pixels, from values or from tiles: `pixels` of them for the view.
QImage renderHeatmap(const Heatmap& heatmap, const MapView& view, QSize pixels);
/// The map's pixels: each shows the reduction of the cells it covers.
QImage renderMap(
    const MapPyramid& pyramid, const MapView& view, QSize pixels, const ValueScale& scale, Reduction reduction);

HeatmapLayout layoutHeatmap(const Heatmap& heatmap, const MapView& view, const Style& style, QRectF canvas);
/// Paints all but the map's pixels, which `image` has (made by renderMap for layout.map).
struct HeatmapPicture {
    MapView view;
    const QImage& image;
};
void paintHeatmap(QPainter& painter, const Heatmap& heatmap, const HeatmapLayout& layout, const Style& style,
    const HeatmapPicture& picture);
/// The visible part as a table: row, column, value of every cell; at most `most` cells, then reduced as on the screen
/// to that many.
QString heatmapCsv(const Heatmap& heatmap, const MapView& view, std::int64_t most = 1000000);

} // namespace keepset::ui::plot
