#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QPointF>

#include <string>

class QPainter;

/// Colours, fonts and markers of charts. Pure functions.
namespace keepset::ui::plot {

/// What a chart is painted with besides its data.
struct Style {
    bool dark = false;
    QColor panel;
    QColor ink;
    QColor muted;
    QColor line;
    QColor accent;
    QColor good;
    QColor warning;
    QColor bad;
    QFont font; ///< 12 px
};

/// The light or dark table of colours. Exports take the light one, as papers are white.
Style chartStyle(bool dark);
/// The style that fits a widget's palette: dark where its window is dark.
Style styleFor(const QPalette& palette);

enum class Marker { none, circle, square, triangle, diamond, hollowSquare, cross, triangleDown, pentagon };

/// Colour and marker of a method: the same in every chart and every run, told apart also without colour.
struct MethodStyle {
    QColor light; ///< on white
    QColor dark; ///< on dark ground
    Marker marker = Marker::circle;
    QColor on(const Style& style) const { return style.dark ? dark : light; }
};
/// `policy`: canonical spelling. Known methods have their own; others get one from their name.
MethodStyle methodStyle(const std::string& policy);

/// Paints a marker of about `size` pixels; hollow ones are filled with `ground`.
void drawMarker(
    QPainter& painter, QPointF centre, Marker marker, const QColor& color, const QColor& ground, double size = 8);

} // namespace keepset::ui::plot
