#include "ui/plot/style.h"

#include "ui/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QPolygonF>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace keepset::ui::plot {

namespace {

    struct Known {
        const char* policy;
        const char* light;
        const char* dark;
        Marker marker;
    };
    // After the set of Okabe and Ito, darkened for white and lightened for dark ground; H2O, CAB, StreamingLLM and
    // recent share the colour of the label that is typical of them.
    constexpr std::array<Known, 7> knownMethods { {
        { "dense", "#6b7480", "#8b95a1", Marker::none },
        { "h2o", "#d98c00", "#f0b13c", Marker::square },
        { "cab", "#c2427e", "#e58fb9", Marker::triangle },
        { "h2o(local=0.3)", "#3a9ad9", "#8fd0f5", Marker::hollowSquare },
        { "streaming-llm", "#00805c", "#3fcfa3", Marker::diamond },
        { "recent", "#0072b2", "#56b4e9", Marker::circle },
        { "random", "#7d6e63", "#b7a79b", Marker::cross },
    } };
    constexpr std::array<Known, 4> others { {
        { "", "#d55e00", "#ff9a5a", Marker::triangleDown },
        { "", "#6a51a3", "#b6a3e3", Marker::pentagon },
        { "", "#7a7a00", "#cfcf57", Marker::triangleDown },
        { "", "#8c5a2b", "#d2a377", Marker::pentagon },
    } };

    /// FNV-1a, so that a name has its colour on every machine.
    std::uint32_t hashOf(const std::string& text)
    {
        std::uint32_t hash = 2166136261U;
        for (const char c : text)
            hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
        return hash;
    }

    QPolygonF polygon(QPointF centre, int corners, double radius, double turn)
    {
        QPolygonF shape;
        for (int i = 0; i < corners; ++i) {
            const double angle = turn + 2 * std::numbers::pi * i / corners;
            shape << centre + radius * QPointF(std::sin(angle), -std::cos(angle));
        }
        return shape;
    }

} // namespace

Style chartStyle(bool dark)
{
    const Theme& colors = theme(dark);
    return { dark, colors.panel, colors.ink, colors.muted, colors.line, colors.accent, colors.pass, colors.warning,
        colors.fail, interfaceFont(12) };
}

Style styleFor(const QPalette& palette) { return chartStyle(themeOf(palette).dark); }

MethodStyle methodStyle(const std::string& policy)
{
    for (const Known& known : knownMethods) {
        if (policy == known.policy)
            return { QColor(known.light), QColor(known.dark), known.marker };
    }
    const Known& other = others[hashOf(policy) % others.size()];
    return { QColor(other.light), QColor(other.dark), other.marker };
}

void drawMarker(
    QPainter& painter, QPointF centre, Marker marker, const QColor& color, const QColor& ground, double size)
{
    if (marker == Marker::none)
        return;
    const double radius = size / 2;
    painter.save();
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    constexpr double eighth = std::numbers::pi / 4;
    switch (marker) {
    case Marker::circle:
        painter.drawEllipse(centre, radius, radius);
        break;
    case Marker::square:
        painter.drawPolygon(polygon(centre, 4, radius * 1.25, eighth));
        break;
    case Marker::hollowSquare:
        painter.setPen(QPen(color, 1.8));
        painter.setBrush(ground);
        painter.drawPolygon(polygon(centre, 4, radius * 1.2, eighth));
        break;
    case Marker::triangle:
        painter.drawPolygon(polygon(centre + QPointF(0, 1), 3, radius * 1.35, 0));
        break;
    case Marker::triangleDown:
        painter.drawPolygon(polygon(centre - QPointF(0, 1), 3, radius * 1.35, std::numbers::pi));
        break;
    case Marker::diamond:
        painter.drawPolygon(polygon(centre, 4, radius * 1.3, 0));
        break;
    case Marker::pentagon:
        painter.drawPolygon(polygon(centre, 5, radius * 1.2, 0));
        break;
    case Marker::cross:
        painter.setPen(QPen(color, 2.2, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(centre - QPointF(radius, radius) * 0.85, centre + QPointF(radius, radius) * 0.85);
        painter.drawLine(centre - QPointF(-radius, radius) * 0.85, centre + QPointF(-radius, radius) * 0.85);
        break;
    case Marker::none:
        break;
    }
    painter.restore();
}

} // namespace keepset::ui::plot
