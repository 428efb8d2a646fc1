#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QPalette>
#include <QPointF>

#include <string>
#include <vector>

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

/// The shapes that Qt Charts has.
enum class Marker { none, circle, square, diamond, triangle, star, pentagon };

/// Colour and marker of a method: the same in every chart and every run, told apart also without colour.
struct MethodStyle {
    QColor light; ///< on white
    QColor dark; ///< on dark ground
    Marker marker = Marker::circle;
    bool hollow = false;
    QColor on(const Style& style) const { return style.dark ? dark : light; }
    bool operator==(const MethodStyle&) const = default;
};
/// Looks of methods that share a chart, each by canonical spelling. Known methods have their own; others get theirs
/// from their name, or, where another has it, the next that is free.
std::vector<MethodStyle> methodStyles(const std::vector<std::string>& policies);

/// Paints a marker of about `size` pixels.
void drawMarker(QPainter& painter, QPointF centre, const MethodStyle& look, const Style& style, double size = 8);
/// The same for a button; `ratio`: device pixels of one of ours.
QIcon markerIcon(const MethodStyle& look, const Style& style, double ratio);

} // namespace keepset::ui::plot
