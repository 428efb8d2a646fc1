#pragma once

#include "ui/plot/style.h"

#include <QRectF>
#include <QStringList>

class QPainter;

/// The small box that tells what is under the pointer: the same in every plot.
namespace keepset::ui::plot {

/// Where a box of a size stands: beside the point, on the canvas.
QRectF readoutBox(QSizeF size, QPointF point, QRectF canvas);
/// Its ground and frame.
void paintReadoutFrame(QPainter& painter, const Style& style, QRectF box);
/// Lines of words beside a point, the first one strong; what stands behind a tab is muted and keeps a column.
void paintReadoutLines(QPainter& painter, const QStringList& lines, const Style& style, QPointF point, QRectF canvas);

} // namespace keepset::ui::plot
