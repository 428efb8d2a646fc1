#include "ui/importance_strip.h"

#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_keys.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace keepset::ui {

namespace {

    constexpr double leftMargin = 58; // px for numbers and policy names
    constexpr double rowHeight = 11;
    constexpr double rowGap = 4;
    constexpr double axisHeight = 18;

    int strength(Label label)
    {
        switch (label) {
        case Label::evicted:
            return 0;
        case Label::kept:
        case Label::local:
            return 1;
        case Label::important:
            return 2;
        case Label::sink:
            return 3;
        case Label::bridge: // the rarest is seen where several share a pixel
            break;
        }
        return 4;
    }

} // namespace

ImportanceStrip::ImportanceStrip(QWidget* parent)
    : QWidget(parent)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setFont(interfaceFont(11));
    setExportName(QStringLiteral("importance"));
    setToolTip(tr("Wheel: zoom; drag: move; double click: show everything; click: choose a token"));
}

void ImportanceStrip::setScores(std::vector<float> scores)
{
    const bool sameLength = scores.size() == scores_.size();
    scores_ = std::move(scores);
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const float score : scores_) {
        if (score > 0) {
            low = std::min(low, static_cast<double>(score));
            high = std::max(high, static_cast<double>(score));
        }
    }
    if (high > 0) {
        logHigh_ = std::log10(high) + 0.1;
        logLow_ = std::clamp(std::log10(low) - 0.1, logHigh_ - 6, logHigh_ - 1);
    }
    if (!sameLength)
        setRange(0, static_cast<double>(std::max<std::size_t>(scores_.size(), 1)));
    update();
}

void ImportanceStrip::setLabels(int side, const QString& title, std::vector<Label> labels)
{
    rows_[static_cast<std::size_t>(side)] = { title, std::move(labels) };
    update();
}

void ImportanceStrip::setCurrent(std::int64_t token)
{
    current_ = token;
    update();
}

void ImportanceStrip::setHovered(std::int64_t token)
{
    if (hovered_ == token)
        return;
    hovered_ = token;
    update();
}

QRectF ImportanceStrip::plotRect() const
{
    const double rows = 2 * (rowHeight + rowGap);
    return { leftMargin, 4, width() - leftMargin - 2, std::max(20.0, height() - 4 - rows - axisHeight) };
}

QRectF ImportanceStrip::rowRect(int row) const
{
    const QRectF plot = plotRect();
    return { plot.left(), plot.bottom() + rowGap + row * (rowHeight + rowGap), plot.width(), rowHeight };
}

double ImportanceStrip::xOf(double position) const
{
    const QRectF plot = plotRect();
    return plot.left() + (position - low_) / (high_ - low_) * plot.width();
}

std::int64_t ImportanceStrip::positionAt(double x) const
{
    const QRectF plot = plotRect();
    const auto position
        = static_cast<std::int64_t>(std::floor(low_ + (x - plot.left()) / plot.width() * (high_ - low_)));
    const bool inside = x >= plot.left() && x <= plot.right() && position >= 0
        && position < static_cast<std::int64_t>(scores_.size());
    return inside ? position : -1;
}

double ImportanceStrip::yOf(double score) const
{
    const QRectF plot = plotRect();
    const double decades = score > 0 ? std::max(std::log10(score), logLow_) : logLow_;
    return plot.bottom() - (decades - logLow_) / (logHigh_ - logLow_) * plot.height();
}

void ImportanceStrip::setRange(double low, double high)
{
    const auto all = static_cast<double>(std::max<std::size_t>(scores_.size(), 1));
    const double span = std::clamp(high - low, std::min(16.0, all), all);
    low_ = std::clamp(low, 0.0, all - span);
    high_ = low_ + span;
    update();
}

void ImportanceStrip::paintGrid(QPainter& painter) const
{
    const Theme& t = themeOf(this);
    const QRectF plot = plotRect();
    const int step = (logHigh_ - logLow_) * 13 > plot.height() ? 2 : 1;
    for (int decade = static_cast<int>(std::ceil(logLow_)); decade <= logHigh_; decade += step) {
        const double y = std::round(yOf(std::pow(10, decade))) + 0.5;
        painter.setPen(QPen(t.line, 1));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(t.muted);
        const double value = std::pow(10, decade);
        const QString text = value >= 1 ? formatCount(std::llround(value)) : QString::number(value);
        painter.drawText(QRectF(0, y - 8, leftMargin - 6, 16), Qt::AlignRight | Qt::AlignVCenter, text);
    }
    const double raw = (high_ - low_) / std::max(2.0, plot.width() / 110);
    const double power = std::pow(2, std::max(0.0, std::ceil(std::log2(raw))));
    const double axis = rowRect(1).bottom();
    for (double tick = std::ceil(low_ / power) * power; tick < high_; tick += power) {
        painter.setPen(t.muted);
        painter.drawText(QRectF(xOf(tick) - 40, axis + 3, 80, 14), Qt::AlignHCenter, formatCount(std::llround(tick)));
    }
}

void ImportanceStrip::paintCurve(QPainter& painter) const
{
    const QRectF plot = plotRect();
    painter.save();
    painter.setClipRect(plot.adjusted(0, -2, 1, 1));
    const auto columns = static_cast<int>(plot.width() * painter.deviceTransform().m11()); // of the device's pixels
    if (high_ - low_ <= std::max<double>(columns, 1.5 * plot.width()))
        paintLines(painter);
    else
        paintColumns(painter, columns);
    painter.restore();
}

void ImportanceStrip::paintLines(QPainter& painter) const
{
    QPolygonF line;
    const auto last = static_cast<std::int64_t>(scores_.size()) - 1;
    for (auto i = static_cast<std::int64_t>(low_); i <= std::min<std::int64_t>(last, std::llround(high_)); ++i)
        line << QPointF(xOf(static_cast<double>(i) + 0.5), yOf(scores_[static_cast<std::size_t>(i)]));
    if (line.size() == 1) // a lone token
        line = { QPointF(xOf(0), line[0].y()), QPointF(xOf(1), line[0].y()) };
    painter.setPen(QPen(themeOf(this).accent, 1, Qt::SolidLine, Qt::RoundCap));
    painter.setRenderHint(QPainter::Antialiasing);
    // One by one: for a long line that crosses itself the rasteriser's time grows with its square.
    for (qsizetype i = 1; i < line.size(); ++i)
        painter.drawLine(line[i - 1], line[i]);
}

void ImportanceStrip::paintColumns(QPainter& painter, int columns) const
{
    // Smallest and largest of every column of pixels, so that no peak is lost; each reaches the one before.
    const QRectF plot = plotRect();
    const double pixel = plot.width() / columns;
    const double each = (high_ - low_) / columns;
    const auto end = static_cast<std::int64_t>(scores_.size());
    const QColor accent = themeOf(this).accent;
    std::optional<std::pair<double, double>> before; // top and bottom
    for (int column = 0; column < columns; ++column) {
        const auto from = static_cast<std::int64_t>(low_ + column * each);
        const auto to = std::clamp<std::int64_t>(static_cast<std::int64_t>(low_ + (column + 1) * each), from + 1, end);
        if (from >= end)
            break;
        const auto [low, high] = std::minmax_element(scores_.begin() + from, scores_.begin() + to);
        const std::pair own { yOf(*high), yOf(*low) };
        const auto [top, bottom] = own;
        const double reachTop = before ? std::min(top, before->second) : top;
        const double reachBottom = before ? std::max(bottom, before->first) : bottom;
        painter.fillRect(
            QRectF(plot.left() + column * pixel, reachTop - 0.5, pixel, reachBottom - reachTop + 1), accent);
        before = own;
    }
}

void ImportanceStrip::paintRow(QPainter& painter, const Row& row, const QRectF& rect) const
{
    const Theme& t = themeOf(this);
    painter.setPen(t.muted);
    const QFontMetrics metrics(font());
    painter.drawText(QRectF(0, rect.top() - 3, leftMargin - 6, rect.height() + 6), Qt::AlignRight | Qt::AlignVCenter,
        metrics.elidedText(row.title, Qt::ElideRight, static_cast<int>(leftMargin) - 8));
    // One strongest label a pixel column, or one box a token when zoomed in.
    const double perPixel = (high_ - low_) / rect.width();
    const auto count = static_cast<std::int64_t>(row.labels.size());
    const int columns = perPixel <= 1 ? static_cast<int>(std::ceil(high_ - low_)) + 1 : static_cast<int>(rect.width());
    for (int column = 0; column < columns; ++column) {
        const double from = perPixel <= 1 ? std::floor(low_) + column : low_ + column * perPixel;
        const auto first = static_cast<std::int64_t>(from);
        const auto end = std::max(first + 1, static_cast<std::int64_t>(perPixel <= 1 ? from + 1 : from + perPixel));
        Label shown = Label::evicted;
        for (std::int64_t i = first; i < std::min(end, count); ++i) {
            const Label label = row.labels[static_cast<std::size_t>(i)];
            shown = strength(label) > strength(shown) ? label : shown;
        }
        if (shown == Label::evicted)
            continue;
        const double left = perPixel <= 1 ? xOf(from) : rect.left() + column;
        const double right = perPixel <= 1 ? xOf(from + 1) : left + 1.2;
        painter.fillRect(QRectF(left, rect.top(), std::max(right - left, 1.2), rect.height()) & rect, t.label(shown));
    }
}

void ImportanceStrip::paintMarker(QPainter& painter, std::int64_t token, const QColor& color) const
{
    const double x = xOf(static_cast<double>(token) + 0.5);
    const QRectF plot = plotRect();
    if (token < 0 || token >= static_cast<std::int64_t>(scores_.size()) || x < plot.left() || x > plot.right())
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1));
    painter.drawLine(QPointF(x, plot.top()), QPointF(x, rowRect(1).bottom() + 1));
    painter.setBrush(themeOf(this).panel);
    painter.setPen(QPen(color, 2));
    painter.drawEllipse(QPointF(x, yOf(scores_[static_cast<std::size_t>(token)])), 3.5, 3.5);
}

void ImportanceStrip::paintEvent(QPaintEvent*)
{
    if (scores_.empty())
        return;
    QPainter painter(this);
    paintGrid(painter);
    paintCurve(painter);
    for (int row = 0; row < 2; ++row) {
        if (!rows_[static_cast<std::size_t>(row)].labels.empty())
            paintRow(painter, rows_[static_cast<std::size_t>(row)], rowRect(row));
    }
    const Theme& t = themeOf(this);
    if (hovered_ != current_)
        paintMarker(painter, hovered_, t.muted);
    paintMarker(painter, current_, t.ink);
    if (hasFocus())
        paintFocusRing(painter, rect(), t);
}

void ImportanceStrip::paintExport(QPainter& painter, QRectF canvas) const
{
    ImportanceStrip paper;
    QPalette palette;
    palette.setColor(QPalette::Window, Qt::white);
    paper.setPalette(palette);
    const QRectF plot = canvas.adjusted(0, 0, 0, -16);
    paper.resize(plot.size().toSize());
    paper.setScores(scores_);
    paper.rows_ = rows_;
    paper.low_ = low_;
    paper.high_ = high_;
    painter.setPen(theme(false).muted);
    painter.setFont(interfaceFont(11));
    painter.drawText(canvas, Qt::AlignHCenter | Qt::AlignBottom, tr("token position"));
    paper.render(&painter, plot.topLeft().toPoint(), {}, QWidget::DrawChildren);
}

QString ImportanceStrip::exportCsv() const
{
    QString text = QStringLiteral("position,importance");
    for (const Row& row : rows_) {
        if (!row.labels.empty())
            text += QStringLiteral(",\"%1\"").arg(row.title);
    }
    text += QStringLiteral("\r\n");
    for (std::size_t i = 0; i < scores_.size(); ++i) {
        text += QStringLiteral("%1,%2").arg(i).arg(static_cast<double>(scores_[i]), 0, 'g', 9);
        for (const Row& row : rows_) {
            if (i < row.labels.size())
                text += QLatin1Char(',') + QString::fromStdString(name_of(row.labels[i]));
        }
        text += QStringLiteral("\r\n");
    }
    return text;
}

void ImportanceStrip::wheelEvent(QWheelEvent* event)
{
    if (scores_.empty() || event->angleDelta().y() == 0)
        return;
    const QRectF plot = plotRect();
    const double share = std::clamp((event->position().x() - plot.left()) / plot.width(), 0.0, 1.0);
    const double at = low_ + share * (high_ - low_);
    const double span = (high_ - low_) * std::pow(0.8, event->angleDelta().y() / 120.0);
    setRange(at - share * span, at - share * span + span);
    event->accept();
}

void ImportanceStrip::mousePressEvent(QMouseEvent* event)
{
    clicked_ = false;
    pressX_ = dragX_ = event->position().x();
    dragged_ = false;
}

void ImportanceStrip::mouseMoveEvent(QMouseEvent* event)
{
    const double x = event->position().x();
    if (event->buttons() & Qt::LeftButton) {
        dragged_ = dragged_ || std::abs(x - pressX_) > 4;
        if (dragged_) {
            const double shift = (dragX_ - x) / plotRect().width() * (high_ - low_);
            setRange(low_ + shift, high_ + shift);
            dragX_ = x;
        }
        return;
    }
    Q_EMIT tokenHovered(positionAt(x));
}

void ImportanceStrip::mouseReleaseEvent(QMouseEvent* event)
{
    if (const std::int64_t token = positionAt(event->position().x()); !dragged_ && token >= 0) {
        clicked_ = true;
        Q_EMIT tokenClicked(token);
    }
}

void ImportanceStrip::mouseDoubleClickEvent(QMouseEvent*)
{
    if (std::exchange(clicked_, false))
        Q_EMIT clickTakenBack();
    dragged_ = true; // the release that follows is no click
    setRange(0, static_cast<double>(scores_.size()));
}

void ImportanceStrip::keyPressEvent(QKeyEvent* event)
{
    const auto zoom = [&](double factor) {
        const double centre = current_ >= 0 ? static_cast<double>(current_) + 0.5 : (low_ + high_) / 2;
        setRange(centre - (centre - low_) * factor, centre + (high_ - centre) * factor);
    };
    if (const auto token = tokenByKey(*event, current_, static_cast<std::int64_t>(scores_.size())))
        Q_EMIT tokenClicked(*token);
    else if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Minus)
        zoom(event->key() == Qt::Key_Plus ? 0.7 : 1 / 0.7);
    else if (event->key() == Qt::Key_0)
        setRange(0, static_cast<double>(scores_.size()));
    else
        QWidget::keyPressEvent(event);
}

void ImportanceStrip::leaveEvent(QEvent* event)
{
    Q_EMIT tokenHovered(-1);
    QWidget::leaveEvent(event);
}

} // namespace keepset::ui

#include "moc_importance_strip.cpp"
