#include "ui/plot/chart.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace keepset::ui::plot {

namespace {

    /// Paints one chart; lives as long as one paint call.
    class ChartPainter {
    public:
        ChartPainter(QPainter& painter, const Chart& chart, const ChartLayout& layout, const Style& style)
            : painter_(painter)
            , chart_(chart)
            , layout_(layout)
            , style_(style)
            , bold_(style.font)
        {
            bold_.setWeight(QFont::DemiBold);
        }

        void paint();

    private:
        void paintHeading();
        void paintWarning();
        void paintXAxis();
        void paintYAxis();
        void paintReferences();
        void paintBand(std::size_t series);
        void paintLine(std::size_t series);
        void paintBars(std::size_t series);
        void paintNames();
        void text(QRectF box, int flags, const QString& words, const QColor& color);
        bool shown(const ChartPoint& point) const
        {
            return std::isfinite(point.y) && (chart_.y.scale == AxisScale::linear || point.y > 0);
        }
        std::optional<std::size_t> lastShown(const Series& series) const;

        QPainter& painter_;
        const Chart& chart_;
        const ChartLayout& layout_;
        const Style& style_;
        QFont bold_;
    };

    void ChartPainter::text(QRectF box, int flags, const QString& words, const QColor& color)
    {
        painter_.setPen(color);
        painter_.drawText(box, flags, words);
    }

    void ChartPainter::paint()
    {
        painter_.save();
        painter_.setRenderHint(QPainter::Antialiasing);
        painter_.setFont(style_.font);
        paintHeading();
        paintWarning();
        if (isEmpty(chart_)) {
            text(layout_.canvas.adjusted(24, 0, -24, 0), Qt::AlignCenter | Qt::TextWordWrap, chart_.emptyText,
                style_.muted);
            painter_.restore();
            return;
        }
        paintYAxis();
        paintXAxis();
        painter_.save();
        painter_.setClipRect(layout_.plot.adjusted(-6, -6, 6, 6));
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            if (!chart_.series[i].errorBars)
                paintBand(i);
        }
        paintReferences();
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            if (chart_.series[i].errorBars)
                paintBars(i);
            paintLine(i);
        }
        painter_.restore();
        paintNames();
        painter_.restore();
    }

    void ChartPainter::paintHeading()
    {
        if (layout_.headingHeight <= 0)
            return;
        QFont title = bold_;
        title.setPixelSize(15);
        painter_.setFont(title);
        const QRectF row(layout_.canvas.left(), layout_.canvas.top(), layout_.canvas.width(), 22);
        text(row, Qt::AlignLeft | Qt::AlignVCenter, chart_.title, style_.ink);
        const double taken = QFontMetricsF(title).horizontalAdvance(chart_.title) + 12;
        painter_.setFont(style_.font);
        const QRectF rest = row.adjusted(taken, 1, 0, 1);
        text(rest, Qt::AlignLeft | Qt::AlignVCenter,
            QFontMetricsF(style_.font).elidedText(chart_.subtitle, Qt::ElideRight, rest.width()), style_.muted);
    }

    void ChartPainter::paintWarning()
    {
        if (layout_.warning.isEmpty())
            return;
        QColor ground = style_.bad;
        ground.setAlphaF(0.12F);
        painter_.setPen(QPen(style_.bad, 1));
        painter_.setBrush(ground);
        painter_.drawRoundedRect(layout_.warning.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
        painter_.setBrush(Qt::NoBrush);
        painter_.setFont(bold_);
        text(layout_.warning.adjusted(10, 6, 0, 0), Qt::AlignLeft | Qt::AlignTop, QStringLiteral("✕"), style_.bad);
        painter_.setFont(style_.font);
        text(layout_.warning.adjusted(28, 6, -12, -4), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, chart_.warning,
            style_.ink);
    }

    void ChartPainter::paintYAxis()
    {
        const QRectF plot = layout_.plot;
        const int rows = std::clamp(static_cast<int>(plot.height() / 38), 2, 9);
        const auto ticks = chart_.y.ticks.empty() ? ticksFor(layout_.y.range, chart_.y.scale, rows) : chart_.y.ticks;
        const auto labels = tickLabels(ticks, chart_.y.format);
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const double y = layout_.y.toPixel(ticks[i]);
            painter_.setPen(QPen(style_.line, 1));
            painter_.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
            text(QRectF(layout_.canvas.left(), y - 10, plot.left() - 8 - layout_.canvas.left(), 20),
                Qt::AlignRight | Qt::AlignVCenter, labels[i], style_.muted);
        }
        painter_.save();
        // Beside the middle of the plot, or as near to it as the canvas leaves the whole title.
        const double half = QFontMetricsF(style_.font).horizontalAdvance(chart_.y.title) / 2 + 4;
        const double lowest = layout_.canvas.bottom() - half;
        const double highest = std::min(layout_.canvas.top() + layout_.headingHeight + half, lowest);
        painter_.translate(layout_.canvas.left() + 9, std::clamp(plot.center().y(), highest, lowest));
        painter_.rotate(-90);
        text(QRectF(-half, -10, 2 * half, 20), Qt::AlignCenter, chart_.y.title, style_.muted);
        painter_.restore();
    }

    void ChartPainter::paintXAxis()
    {
        const QRectF plot = layout_.plot;
        const QFontMetricsF metrics(style_.font);
        const int wanted = std::clamp(static_cast<int>(plot.width() / 90), 2, 10);
        auto ticks = chart_.x.ticks.empty() ? ticksFor(layout_.x.range, chart_.x.scale, wanted) : chart_.x.ticks;
        const auto labels = tickLabels(ticks, chart_.x.format);
        const double titleRow = layout_.canvas.bottom() - metrics.height() - 4;
        const double titleEnd = plot.center().x() + metrics.horizontalAdvance(chart_.x.title) / 2;
        double free = -1e9; // where the next label may begin
        double freeBelow = titleEnd + 12; // the same in the row of the title, right of it
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const double x = layout_.x.toPixel(ticks[i]);
            if (x < plot.left() - 1 || x > plot.right() + 1)
                continue;
            painter_.setPen(QPen(style_.line, 1));
            painter_.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 4));
            const double half = metrics.horizontalAdvance(labels[i]) / 2;
            const bool below = x - half < free; // sparsities crowd at the right end
            if (below && x - half < freeBelow)
                continue;
            text(QRectF(x - half - 4, below ? titleRow : plot.bottom() + 6, 2 * half + 8, metrics.height()),
                Qt::AlignCenter, labels[i], style_.muted);
            (below ? freeBelow : free) = x + half + 4;
        }
        text(QRectF(plot.left(), titleRow, plot.width(), metrics.height() + 2), Qt::AlignCenter, chart_.x.title,
            style_.muted);
    }

    void ChartPainter::paintReferences()
    {
        const QFontMetricsF metrics(style_.font);
        for (const ReferenceLine& line : chart_.references) {
            const double y = layout_.y.toPixel(line.value);
            QPen pen(style_.muted, 1.4, line.dashed ? Qt::CustomDashLine : Qt::SolidLine, Qt::FlatCap);
            if (line.dashed)
                pen.setDashPattern({ 4, 3 });
            painter_.setPen(pen);
            painter_.drawLine(QPointF(layout_.plot.left(), y), QPointF(layout_.plot.right(), y));
            const double width = metrics.horizontalAdvance(line.text) + 8;
            const bool below = y + metrics.height() + 2 < layout_.plot.bottom() + 6;
            const QRectF box(
                layout_.plot.right() - width - 4, below ? y + 2 : y - metrics.height() - 2, width, metrics.height());
            if (!line.text.isEmpty())
                text(box, Qt::AlignRight | Qt::AlignVCenter, line.text, style_.muted);
        }
    }

    void ChartPainter::paintBand(std::size_t series)
    {
        const Series& shownSeries = chart_.series[series];
        QPolygonF upper;
        QPolygonF lower;
        for (const ChartPoint& point : shownSeries.points) {
            const bool none = !std::isfinite(point.low) || !std::isfinite(point.high)
                || (chart_.y.scale == AxisScale::log && !(point.low > 0));
            if (none || !shown(point))
                continue;
            const double x = layout_.x.toPixel(point.x);
            upper << QPointF(x, layout_.y.toPixel(point.high));
            lower.prepend(QPointF(x, layout_.y.toPixel(point.low)));
        }
        if (upper.size() < 2)
            return;
        QColor fill = shownSeries.look.on(style_);
        fill.setAlphaF(style_.dark ? 0.14F : 0.12F);
        painter_.setPen(Qt::NoPen);
        painter_.setBrush(fill);
        painter_.drawPolygon(upper + lower);
    }

    void ChartPainter::paintLine(std::size_t series)
    {
        const Series& line = chart_.series[series];
        QPolygonF path;
        std::vector<QPointF> marks;
        for (std::size_t i = 0; i < line.points.size(); ++i) {
            if (!shown(line.points[i]))
                continue;
            marks.push_back(positionOf(chart_, layout_, { series, i }));
            path << marks.back();
        }
        QColor color = line.look.on(style_);
        if (line.errorBars)
            color.setAlphaF(0.55F);
        QPen pen(color, line.errorBars ? 1.3 : 2, line.dashed ? Qt::CustomDashLine : Qt::SolidLine, Qt::FlatCap,
            Qt::RoundJoin);
        if (line.dashed)
            pen.setDashPattern({ 5, 3 });
        painter_.setPen(pen);
        painter_.setBrush(Qt::NoBrush);
        painter_.drawPolyline(path);
        for (const QPointF& mark : marks)
            drawMarker(painter_, mark, line.look.marker, line.look.on(style_), style_.panel);
    }

    void ChartPainter::paintBars(std::size_t series)
    {
        const Series& bars = chart_.series[series];
        painter_.setPen(QPen(bars.look.on(style_), 2, Qt::SolidLine, Qt::FlatCap));
        for (std::size_t i = 0; i < bars.points.size(); ++i) {
            const ChartPoint& point = bars.points[i];
            if (!std::isfinite(point.low) || !std::isfinite(point.high) || !shown(point))
                continue;
            const double x = positionOf(chart_, layout_, { series, i }).x();
            const double low = layout_.y.toPixel(point.low);
            const double high = layout_.y.toPixel(point.high);
            painter_.drawLine(QPointF(x, low), QPointF(x, high));
            painter_.drawLine(QPointF(x - 3.5, low), QPointF(x + 3.5, low));
            painter_.drawLine(QPointF(x - 3.5, high), QPointF(x + 3.5, high));
        }
    }

    std::optional<std::size_t> ChartPainter::lastShown(const Series& series) const
    {
        for (std::size_t i = series.points.size(); i > 0; --i) {
            if (shown(series.points[i - 1]))
                return i - 1;
        }
        return std::nullopt;
    }

    void ChartPainter::paintNames()
    {
        painter_.setFont(bold_);
        const QFontMetricsF metrics(bold_);
        const QRectF visible = layout_.plot.adjusted(-2, -2, 8, 2);
        std::vector<std::size_t> named;
        std::vector<QPointF> ends;
        std::vector<double> wanted;
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            const auto last = lastShown(chart_.series[i]);
            if (!last || chart_.series[i].name.isEmpty())
                continue;
            const QPointF end = positionOf(chart_, layout_, { i, *last });
            if (!visible.contains(end))
                continue;
            named.push_back(i);
            ends.push_back(end);
            wanted.push_back(end.y());
        }
        const auto centres
            = spreadLabels(wanted, metrics.height() - 1, layout_.plot.top() - 8, layout_.plot.bottom() + 8);
        const double left = layout_.plot.right() + 14;
        for (std::size_t i = 0; i < named.size(); ++i) {
            const Series& series = chart_.series[named[i]];
            if (std::abs(centres[i] - ends[i].y()) > 4 || left - ends[i].x() > 34) {
                QColor faint = series.look.on(style_);
                faint.setAlphaF(0.5F);
                painter_.setPen(QPen(faint, 1));
                painter_.drawLine(ends[i] + QPointF(6, 0), QPointF(left - 3, centres[i]));
            }
            const double width = layout_.canvas.right() - left;
            text(QRectF(left, centres[i] - 10, width, 20), Qt::AlignLeft | Qt::AlignVCenter,
                metrics.elidedText(series.name, Qt::ElideRight, width), series.look.on(style_));
        }
        painter_.setFont(style_.font);
    }

} // namespace

void paintChart(QPainter& painter, const Chart& chart, const ChartLayout& layout, const Style& style)
{
    ChartPainter(painter, chart, layout, style).paint();
}

} // namespace keepset::ui::plot
