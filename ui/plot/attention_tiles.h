#pragma once

#include "core/engine.h"
#include "ui/color_map.h"
#include "ui/heatmap_geometry.h"

#include <QImage>

#include <memory>
#include <vector>

/// Attention maps as the tiles of one picture: P of a long text is never held whole, so a map is made for what is
/// looked at, and a coarser one lies behind it. Pure functions.
namespace keepset::ui::plot {

/// Maps of one layer, head and reduction; a later one is painted over the earlier ones.
using AttentionTiles = std::vector<std::shared_ptr<const AttentionMap>>;

/// What to ask for so that a view over `context` tokens has at least one cell a pixel: whole cells of equal size,
/// counted from the first token, so that they stay in place while the view moves. Layer, head and reduction are left
/// as they are in `like`.
AttentionMapRequest requestFor(
    const MapView& view, std::int64_t context, QSize pixels, const AttentionMapRequest& like);
/// Whether a map has all that a request asks for, in cells that are no larger.
bool serves(const AttentionMap& map, const AttentionMapRequest& request);
/// The finest cell that has a query and a key.
std::optional<AttentionCell> cellAt(const AttentionTiles& tiles, MapCell position);
/// Up to 2^18 visible values, evenly spaced over the tile, and its largest: for a scale of colours.
std::vector<float> visibleValues(const AttentionMap& map);

/// The map's pixels: each shows the reduction of the cells it covers; clear where all is hidden or not there.
QImage renderTiles(const AttentionTiles& tiles, const MapView& view, QSize pixels, const ValueScale& scale);
/// The visible cells that are not hidden as a table; at most `most`, then every cell joins as many of its neighbours as
/// needed.
QString tilesCsv(const AttentionTiles& tiles, const MapView& view, std::int64_t most = 1000000);

} // namespace keepset::ui::plot
