#include "ui/plot/style.h"

#include "ui/theme.h"

#include <QPainter>
#include <QPixmap>
#include <QPolygonF>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

namespace keepset::ui::plot {

namespace {

    struct Known {
        const char* policy;
        const char* light;
        const char* dark;
        Marker marker;
        bool hollow = false;
    };
    // After the set of Okabe and Ito, darkened for white and lightened for dark ground; H2O, CAB, StreamingLLM and
    // recent share the colour of the label that is typical of them.
    constexpr std::array<Known, 7> knownMethods { {
        { "dense", "#6b7480", "#8b95a1", Marker::none },
        { "h2o", "#d98c00", "#f0b13c", Marker::square },
        { "cab", "#c2427e", "#e58fb9", Marker::triangle },
        { "h2o(local=0.3)", "#3a9ad9", "#8fd0f5", Marker::square, true },
        { "streaming-llm", "#00805c", "#3fcfa3", Marker::diamond },
        { "recent", "#0072b2", "#56b4e9", Marker::circle },
        { "random", "#7d6e63", "#b7a79b", Marker::star },
    } };
    constexpr std::array<std::array<const char*, 2>, 7> otherColors { {
        { "#d55e00", "#ff9a5a" },
        { "#6a51a3", "#b6a3e3" },
        { "#7a7a00", "#cfcf57" },
        { "#8c5a2b", "#d2a377" },
        { "#00808c", "#4fc3cf" },
        { "#b03a3a", "#f08a8a" },
        { "#4a5fc1", "#9aa9f2" },
    } };
    constexpr std::array<Marker, 6> otherMarkers { Marker::pentagon, Marker::star, Marker::circle, Marker::triangle,
        Marker::diamond, Marker::square };

    MethodStyle other(std::uint32_t number)
    {
        const auto& color = otherColors[number % otherColors.size()];
        const std::uint32_t shape = number / otherColors.size();
        return { QColor(color[0]), QColor(color[1]), otherMarkers[shape % otherMarkers.size()],
            (shape / otherMarkers.size()) % 2 == 1 };
    }

    /// FNV-1a, so that a name has its colour on every machine.
    std::uint32_t hashOf(const std::string& text)
    {
        std::uint32_t hash = 2166136261U;
        for (const char c : text)
            hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
        return hash;
    }

    std::optional<MethodStyle> knownStyle(const std::string& policy)
    {
        for (const Known& known : knownMethods) {
            if (policy == known.policy)
                return MethodStyle { QColor(known.light), QColor(known.dark), known.marker, known.hollow };
        }
        return std::nullopt;
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

    QPolygonF star(QPointF centre, double radius)
    {
        const QPolygonF outer = polygon(centre, 5, radius, 0);
        const QPolygonF inner = polygon(centre, 5, radius * 0.45, std::numbers::pi / 5);
        QPolygonF shape;
        for (int i = 0; i < 5; ++i)
            shape << outer[i] << inner[i];
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

std::vector<MethodStyle> methodStyles(const std::vector<std::string>& policies)
{
    constexpr std::size_t combinations = otherColors.size() * otherMarkers.size() * 2;
    std::vector<MethodStyle> styles;
    for (const std::string& policy : policies) {
        if (const auto known = knownStyle(policy)) {
            styles.push_back(*known);
            continue;
        }
        // A colour of its own while there are such, then at least a look of its own.
        const std::uint32_t first = hashOf(policy);
        MethodStyle chosen = other(first);
        for (std::uint32_t step = 0; step < combinations; ++step) {
            const MethodStyle next = other(first + step);
            const bool taken = std::ranges::any_of(styles, [&](const MethodStyle& style) {
                return step < otherColors.size() ? style.light == next.light : style == next;
            });
            if (!taken) {
                chosen = next;
                break;
            }
        }
        styles.push_back(chosen);
    }
    return styles;
}

void drawMarker(QPainter& painter, QPointF centre, const MethodStyle& look, const Style& style, double size)
{
    const double radius = size / 2;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(look.hollow ? QPen(look.on(style), 1.8) : QPen(Qt::NoPen));
    painter.setBrush(look.hollow ? style.panel : look.on(style));
    switch (look.marker) {
    case Marker::none:
        break;
    case Marker::circle:
        painter.drawEllipse(centre, radius, radius);
        break;
    case Marker::square:
        painter.drawPolygon(polygon(centre, 4, radius * 1.25, std::numbers::pi / 4));
        break;
    case Marker::diamond:
        painter.drawPolygon(polygon(centre, 4, radius * 1.3, 0));
        break;
    case Marker::triangle:
        painter.drawPolygon(polygon(centre + QPointF(0, 1), 3, radius * 1.35, 0));
        break;
    case Marker::star:
        painter.drawPolygon(star(centre, radius * 1.4));
        break;
    case Marker::pentagon:
        painter.drawPolygon(polygon(centre, 5, radius * 1.2, 0));
        break;
    }
    painter.restore();
}

QIcon markerIcon(const MethodStyle& look, const Style& style, double ratio)
{
    QPixmap picture(QSize(14, 14) * ratio);
    picture.setDevicePixelRatio(ratio);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    drawMarker(painter, { 7, 7 }, look, style, 9);
    return QIcon(picture);
}

} // namespace keepset::ui::plot
