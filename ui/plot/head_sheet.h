#pragma once

#include "core/head_summary.h"
#include "ui/color_map.h"
#include "ui/heatmap_geometry.h"

#include <QImage>

#include <span>

/// Every query head as a small tile, layers down and heads across: its importance over position from left to right.
/// Pure functions.
namespace keepset::ui::plot {

/// The sheet's pixels. A pixel of a tile shows the reduction of the bins that it covers; what is between tiles is
/// clear, and so are tiles that are not made yet.
QImage renderHeads(
    const HeadSummaries& heads, const MapView& view, QSize pixels, const ValueScale& scale, Reduction reduction);
/// The values that a sheet shows, (layers done, heads, bins).
inline std::span<const float> valuesOf(const HeadSummaries& heads, Reduction reduction)
{
    const std::vector<float>& all = reduction == Reduction::max ? heads.largest : heads.means;
    return std::span(all).first(static_cast<std::size_t>(heads.layers_done * heads.heads * heads.bins));
}
/// The bins of the heads in view as a table, RFC 4180.
QString headBinsCsv(const HeadSummaries& heads, const MapView& view);

} // namespace keepset::ui::plot
