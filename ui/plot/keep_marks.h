#pragma once

#include "core/choices.h"
#include "ui/heatmap_geometry.h"

#include <QRectF>

#include <array>
#include <vector>

class QPainter;

/// What a policy keeps, as a row of bars under a chart or a map: the same in every place.
namespace keepset::ui::plot {

/// Bars whose height is the share kept of the tokens that a pixel stands for, stacked by label, bridges on top; whole
/// where it stands for one token. `begin` and `end`: positions at the ends of the row.
void paintKeepMarks(
    QPainter& painter, QRectF row, const std::vector<Label>& labels, std::pair<double, double> positions, bool dark);

} // namespace keepset::ui::plot
