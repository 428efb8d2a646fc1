#include "ui/plot/heatmap.h"

#include "ui/charts/ticks.h"
#include "ui/format.h"
#include "ui/plot/keep_marks.h"

#include "ui/theme.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    constexpr double stripHeight = 13;
    constexpr double stripGap = 6;
    constexpr double barWidth = 12;
    constexpr double nameLine = 15; ///< px a token needs for its name
    constexpr double nameWidth = 104; ///< px for names and positions

    /// Paints axes, strips and colour bar of one heatmap; lives as long as one paint call.
    class HeatmapPainter {
    public:
        HeatmapPainter(QPainter& painter, const Heatmap& heatmap, const HeatmapLayout& layout, const Style& style)
            : painter_(painter)
            , heatmap_(heatmap)
            , layout_(layout)
            , style_(style)
        {
        }
        void paint(const HeatmapPicture& picture);

    private:
        void paintAxes(const MapView& view);
        void paintColumnAxis(const MapView& view);
        void paintRowNames(const MapView& view);
        void paintColumnNames(const MapView& view);
        void paintName(QRectF box, std::int64_t token);
        void paintTitles();
        void paintStrips(const MapView& view);
        void paintColorBar();
        void paintBeyond();
        void paintChosen(const MapView& view);
        QPointF seenFrom(const MapView& view) const;
        static QPointF cornerOf(std::int64_t column, std::int64_t row)
        {
            return { static_cast<double>(column), static_cast<double>(row) };
        }
        void outline(QRectF box);
        void pointer(QPointF tip, QPointF away);
        void text(QRectF box, int flags, const QString& words, const QColor& color)
        {
            painter_.setPen(color);
            painter_.drawText(box, flags, words);
        }

        QPainter& painter_;
        const Heatmap& heatmap_;
        const HeatmapLayout& layout_;
        const Style& style_;
    };

    void HeatmapPainter::paint(const HeatmapPicture& picture)
    {
        painter_.save();
        painter_.setFont(style_.font);
        if (!heatmap_.filled()) {
            text(layout_.canvas.adjusted(24, 0, -24, 0), Qt::AlignCenter | Qt::TextWordWrap, heatmap_.emptyText,
                style_.muted);
            painter_.restore();
            return;
        }
        if (heatmap_.tiled()) { // what causality hides stays clear
            painter_.setPen(QPen(style_.line, 1));
            painter_.setBrush(Qt::NoBrush);
            painter_.drawRect(layout_.map.adjusted(-0.5, -0.5, 0.5, 0.5));
        }
        painter_.drawImage(layout_.map, picture.image, QRectF(picture.image.rect()));
        painter_.setRenderHint(QPainter::Antialiasing);
        layout_.named&& heatmap_.tiled() ? paintRowNames(picture.view) : paintAxes(picture.view);
        layout_.named ? paintColumnNames(picture.view) : paintColumnAxis(picture.view);
        paintTitles();
        paintStrips(picture.view);
        paintColorBar();
        paintChosen(picture.view);
        painter_.restore();
    }

    void HeatmapPainter::paintAxes(const MapView& view)
    {
        const QRectF map = layout_.map;
        const int most = std::max(2, static_cast<int>(map.height() / 26));
        for (const std::int64_t tick : cellTicks(view.rowBegin, view.rowEnd, most, !heatmap_.tiled())) {
            const double y = pixelOf(view, map, { 0, static_cast<double>(tick) + 0.5 }).y();
            if (y < map.top() || y > map.bottom())
                continue;
            const double centre = layout_.strips.empty() ? y : std::min(y, map.bottom() - stripGap); // names are below
            text(QRectF(layout_.canvas.left(), centre - 10, map.left() - 6 - layout_.canvas.left(), 20),
                Qt::AlignRight | Qt::AlignVCenter, formatCount(tick), style_.muted);
        }
    }

    void HeatmapPainter::paintColumnAxis(const MapView& view)
    {
        const QRectF map = layout_.map;
        const QFontMetricsF metrics(style_.font);
        const double top = layout_.strips.empty() ? map.bottom() : layout_.strips.back().bottom();
        const int most = std::max(2, static_cast<int>(map.width() / 72));
        std::vector<double> ticks;
        for (const std::int64_t tick : cellTicks(view.columnBegin, view.columnEnd, most, false))
            ticks.push_back(static_cast<double>(tick));
        const auto labels = charts::tickLabels(ticks, charts::NumberFormat::plain);
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const double x = pixelOf(view, map, { ticks[i] + 0.5, 0 }).x();
            if (x < map.left() || x > map.right())
                continue;
            painter_.setPen(QPen(style_.muted, 1));
            painter_.drawLine(QPointF(x, top + 2), QPointF(x, top + 5));
            const double half = metrics.horizontalAdvance(labels[i]) / 2 + 3;
            const double centre = std::clamp(x, map.left() + half - 8, map.right() - half + 12);
            text(QRectF(centre - half, top + 6, 2 * half, metrics.height()), Qt::AlignCenter, labels[i], style_.muted);
        }
    }

    void HeatmapPainter::paintTitles()
    {
        const QRectF map = layout_.map;
        painter_.save();
        painter_.translate(layout_.canvas.left() + 8, map.center().y());
        painter_.rotate(-90);
        text(QRectF(-100, -10, 200, 20), Qt::AlignCenter, heatmap_.rowTitle, style_.muted);
        painter_.restore();
        const double height = QFontMetricsF(style_.font).height();
        const double top = layout_.strips.empty() ? map.bottom() : layout_.strips.back().bottom();
        const double names = layout_.named ? nameWidth : height;
        if (layout_.titled)
            text(QRectF(map.left(), top + 6 + names, map.width(), height + 2), Qt::AlignCenter, heatmap_.columnTitle,
                style_.muted);
    }

    /// Every token of the view: few enough are left.
    void HeatmapPainter::paintRowNames(const MapView& view)
    {
        const QRectF map = layout_.map;
        painter_.save();
        painter_.setClipRect(layout_.canvas);
        for (auto token = static_cast<std::int64_t>(view.rowBegin); static_cast<double>(token) < view.rowEnd; ++token) {
            const double y = pixelOf(view, map, { 0, static_cast<double>(token) + 0.5 }).y();
            if (y > map.top() && y < map.bottom())
                paintName(QRectF(map.left() - 6 - nameWidth, y - 10, nameWidth, 20), token);
        }
        painter_.restore();
    }

    void HeatmapPainter::paintColumnNames(const MapView& view)
    {
        const QRectF map = layout_.map;
        const double top = layout_.strips.empty() ? map.bottom() : layout_.strips.back().bottom();
        painter_.save();
        painter_.setClipRect(layout_.canvas);
        for (auto token = static_cast<std::int64_t>(view.columnBegin); static_cast<double>(token) < view.columnEnd;
             ++token) {
            const double x = pixelOf(view, map, { static_cast<double>(token) + 0.5, 0 }).x();
            if (x <= map.left() || x >= map.right())
                continue;
            painter_.save();
            painter_.translate(x, top + 6);
            painter_.rotate(-90);
            paintName(QRectF(-nameWidth, -10, nameWidth, 20), token);
            painter_.restore();
        }
        painter_.restore();
    }

    /// "planet  412", its end at the map.
    void HeatmapPainter::paintName(QRectF box, std::int64_t token)
    {
        const QFontMetricsF metrics(style_.font);
        const QString position = formatCount(token);
        text(box, Qt::AlignRight | Qt::AlignVCenter, position, style_.muted);
        box.setRight(box.right() - metrics.horizontalAdvance(position) - 6);
        text(box, Qt::AlignRight | Qt::AlignVCenter,
            metrics.elidedText(heatmap_.name(token), Qt::ElideRight, box.width()), style_.ink);
    }

    void HeatmapPainter::paintStrips(const MapView& view)
    {
        for (std::size_t i = 0; i < layout_.strips.size(); ++i) {
            const QRectF strip = layout_.strips[i];
            const MarkStrip& marks = heatmap_.marks[i];
            paintKeepMarks(
                painter_, strip, { marks.labels, marks.pins }, { view.columnBegin, view.columnEnd }, style_.dark);
            text(QRectF(layout_.canvas.left(), strip.top() - 4, strip.left() - 6 - layout_.canvas.left(),
                     strip.height() + 8),
                Qt::AlignRight | Qt::AlignVCenter, marks.name, style_.muted);
        }
    }

    void HeatmapPainter::paintColorBar()
    {
        const QRectF bar = layout_.colorBar;
        QImage colors(1, 256, QImage::Format_RGB32);
        for (int y = 0; y < 256; ++y)
            colors.setPixel(0, y, viridis(1 - y / 255.0));
        painter_.drawImage(bar, colors, QRectF(colors.rect()));
        paintBeyond();
        painter_.save();
        painter_.translate(layout_.canvas.right() - 8, layout_.canvas.center().y());
        painter_.rotate(-90);
        const double length = layout_.canvas.height();
        text(QRectF(-length / 2, -10, length, 20), Qt::AlignCenter,
            QFontMetricsF(style_.font).elidedText(heatmap_.valueTitle, Qt::ElideRight, length), style_.muted);
        painter_.restore();
        const QFontMetricsF metrics(style_.font);
        double free = bar.bottom() + 20;
        for (const ColorTick& tick : colorTicks(heatmap_.scale, std::max(3, static_cast<int>(bar.height() / 45)))) {
            const double y = bar.bottom() - tick.position * bar.height();
            painter_.setPen(QPen(style_.muted, 1));
            painter_.drawLine(QPointF(bar.right() + 1, y), QPointF(bar.right() + 4, y));
            if (y + metrics.height() / 2 > free)
                continue;
            const QString label = heatmap_.scale.kind() == ValueScaleKind::percentile
                ? charts::valueText(tick.value, charts::NumberFormat::plain)
                : charts::tickLabels({ tick.value }, charts::NumberFormat::plain).front();
            text(QRectF(bar.right() + 7, y - 10, 60, 20), Qt::AlignLeft | Qt::AlignVCenter, label, style_.muted);
            free = y - metrics.height() / 2;
        }
    }

    /// A point at an end of the colour bar that some cells lie beyond.
    void HeatmapPainter::paintBeyond()
    {
        constexpr double height = 7;
        const QRectF bar = layout_.colorBar;
        painter_.setPen(QPen(style_.muted, 1));
        const auto point = [&](double edge, double away, double color) {
            painter_.setBrush(QColor(viridis(color)));
            painter_.drawPolygon(QPolygonF { QPointF(bar.left() + 0.5, edge), QPointF(bar.center().x(), edge + away),
                QPointF(bar.right() - 0.5, edge) });
        };
        if (heatmap_.beyond.above > 0)
            point(bar.top(), -height, 1);
        if (heatmap_.beyond.below > 0)
            point(bar.bottom(), height, 0);
    }

    void HeatmapPainter::paintChosen(const MapView& view)
    {
        const QRectF map = layout_.map;
        painter_.setClipRect(map.adjusted(-7, -7, 7, 7));
        if (heatmap_.chosenColumn) {
            const auto column = static_cast<double>(*heatmap_.chosenColumn);
            const double left = pixelOf(view, map, { column, 0 }).x();
            const double right = pixelOf(view, map, { column + 1, 0 }).x();
            const double x = (left + right) / 2;
            if (right - left >= 4)
                outline(QRectF(QPointF(left, seenFrom(view).y()), QPointF(right, map.bottom())));
            pointer({ x, map.top() }, { 0, -6 });
            pointer({ x, map.bottom() }, { 0, 6 });
        }
        if (heatmap_.chosenRows && heatmap_.chosenHeads) {
            const QPointF first = pixelOf(view, map, cornerOf(heatmap_.chosenHeads->begin, heatmap_.chosenRows->begin));
            const QPointF last = pixelOf(view, map, cornerOf(heatmap_.chosenHeads->end, heatmap_.chosenRows->end));
            outline(QRectF(first, last));
            painter_.setPen(QPen(style_.accent, 2));
            painter_.drawRect(QRectF(first, last).adjusted(-1, -1, 1, 1));
            pointer({ map.right(), (first.y() + last.y()) / 2 }, { 6, 0 });
            pointer({ (first.x() + last.x()) / 2, map.bottom() }, { 0, 6 });
        } else if (heatmap_.chosenRows) {
            const double top = pixelOf(view, map, { 0, static_cast<double>(heatmap_.chosenRows->begin) }).y();
            const double bottom = pixelOf(view, map, { 0, static_cast<double>(heatmap_.chosenRows->end) }).y();
            if (bottom - top >= 4)
                outline(QRectF(QPointF(map.left(), top), QPointF(seenFrom(view).x(), bottom)));
            pointer({ map.right(), (top + bottom) / 2 }, { 6, 0 });
        }
    }

    /// Where the chosen column of a map of tokens × tokens begins to be seen and the chosen row ends: at the token
    /// itself.
    QPointF HeatmapPainter::seenFrom(const MapView& view) const
    {
        const QRectF map = layout_.map;
        if (!heatmap_.tiled() || !heatmap_.chosenColumn)
            return map.topRight();
        const auto token = static_cast<double>(*heatmap_.chosenColumn);
        return { std::clamp(pixelOf(view, map, { token + 1, 0 }).x(), map.left(), map.right()),
            std::clamp(pixelOf(view, map, { 0, token }).y(), map.top(), map.bottom()) };
    }

    /// A thin frame that is seen on dark and on bright cells.
    void HeatmapPainter::outline(QRectF box)
    {
        painter_.setBrush(Qt::NoBrush);
        painter_.setPen(QPen(QColor(0, 0, 0, 110), 2.4));
        painter_.drawRect(box);
        painter_.setPen(QPen(Qt::white, 1.1));
        painter_.drawRect(box);
    }

    /// A small triangle outside the map whose tip is at its edge.
    void HeatmapPainter::pointer(QPointF tip, QPointF away)
    {
        if (!layout_.map.adjusted(-1, -1, 1, 1).contains(tip))
            return;
        const QPointF side(away.y() * 0.75, away.x() * 0.75);
        painter_.setPen(Qt::NoPen);
        painter_.setBrush(style_.accent);
        painter_.drawPolygon(QPolygonF { tip, tip + away + side, tip + away - side });
    }

} // namespace

HeatmapLayout layoutHeatmap(const Heatmap& heatmap, const MapView& view, const Style& style, QRectF canvas)
{
    const QFontMetricsF metrics(style.font);
    HeatmapLayout layout;
    layout.canvas = canvas;
    // Of tokens × tokens both axes have names, or none has.
    constexpr double leastMap = 60;
    layout.named = heatmap.name
        && canvas.height() - nameWidth - 40 >= (heatmap.tiled() ? nameLine * view.rows() : leastMap)
        && canvas.width() - nameWidth - 100 >= nameLine * view.columns();
    const QString widest = formatCount(heatmap.size().rows);
    double left = canvas.left() + std::max(46.0, metrics.horizontalAdvance(widest) + 26);
    if (layout.named && heatmap.tiled())
        left = canvas.left() + nameWidth + 26;
    for (const MarkStrip& strip : heatmap.marks)
        left = std::max(left, canvas.left() + 8 + std::min(120.0, metrics.horizontalAdvance(strip.name)));
    const double strips = static_cast<double>(heatmap.marks.size()) * (stripHeight + stripGap);
    const double names = layout.named ? nameWidth : metrics.height();
    layout.titled = canvas.height() >= 200;
    const double bottom = canvas.bottom() - names - (layout.titled ? metrics.height() + 10 : 6) - strips;
    const double top = canvas.top() + 8;
    const double right = canvas.right() - barWidth - 66 - (heatmap.valueTitle.isEmpty() ? 0 : 12);
    layout.map = QRectF(std::round(left), std::round(top), std::max(20.0, std::round(right - left)),
        std::max(10.0, std::round(bottom - top)));
    layout.colorBar = QRectF(layout.map.right() + 14, layout.map.top(), barWidth, layout.map.height());
    double y = layout.map.bottom() + stripGap;
    for (std::size_t i = 0; i < heatmap.marks.size(); ++i) {
        layout.strips.emplace_back(layout.map.left(), y, layout.map.width(), stripHeight);
        y += stripHeight + stripGap;
    }
    return layout;
}

void paintHeatmap(QPainter& painter, const Heatmap& heatmap, const HeatmapLayout& layout, const Style& style,
    const HeatmapPicture& picture)
{
    HeatmapPainter(painter, heatmap, layout, style).paint(picture);
}

std::vector<MarkStrip> marksOf(
    const std::optional<RowSelection>& a, const std::optional<RowSelection>& b, const std::vector<Pin>& pins)
{
    std::vector<MarkStrip> marks;
    for (const auto* selection : { &a, &b }) {
        if (*selection)
            marks.push_back({ QString::fromStdString((*selection)->title), (*selection)->labels, pins });
    }
    return marks;
}

} // namespace keepset::ui::plot
