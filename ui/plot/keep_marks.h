#pragma once

#include "core/selection.h"
#include "ui/heatmap_geometry.h"

#include <QRectF>

#include <span>
#include <utility>

class QPainter;

/// What a policy keeps, as a row of bars under a chart or a map: the same in every place.
namespace keepset::ui::plot {

/// What a row of bars is of: the labels (tokens) of a keep set, and what the user marked.
struct KeepMarks {
    std::span<const Label> labels;
    std::span<const Pin> pins;
};
/// Bars whose height is the share kept of the tokens that a pixel stands for, stacked by label, bridges on top; whole
/// where it stands for one token. What was marked has a line: above what must stay, through what must go.
/// `positions`: at the ends of the row.
void paintKeepMarks(
    QPainter& painter, QRectF row, const KeepMarks& marks, std::pair<double, double> positions, bool dark);

} // namespace keepset::ui::plot
