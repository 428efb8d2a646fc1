#include "ui/importance_strip.h"

#include "ui/charts/plot_chart.h"
#include "ui/theme.h"
#include "ui/token_keys.h"

#include <QGraphicsLayout>
#include <QKeyEvent>
#include <QLegend>
#include <QLineSeries>
#include <QLocale>
#include <QMouseEvent>
#include <QValueAxis>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    constexpr double leftMargin = 66; // px for numbers and policy names
    constexpr double rightMargin = 26; // px for half a number
    constexpr double rowHeight = 13;
    constexpr double rowGap = 4;
    constexpr double axisHeight = 22;
    constexpr double leastDecades = 1;
    constexpr double mostDecades = 6;

} // namespace

ImportanceStrip::ImportanceStrip(QWidget* parent)
    : QChartView(parent)
    , x_(new QValueAxis(this))
    , y_(new QCategoryAxis(this))
    , curve_(new QLineSeries(this))
{
    setFrameShape(NoFrame);
    setRenderHint(QPainter::Antialiasing);
    viewport()->setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setExportName(QStringLiteral("importance"));
    setToolTip(tr("Wheel: zoom; drag: move; right click: back; double click: show everything; click: choose a token. "
                  "Bars: share of the tokens under a pixel that is kept"));
    chart()->legend()->hide();
    chart()->setBackgroundRoundness(0);
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    chart()->setMargins({});
    chart()->setMinimumSize(0, 0);
    chart()->setLocale(QLocale(QLocale::English));
    chart()->setLocalizeNumbers(true);
    chart()->addSeries(curve_);
    chart()->addAxis(x_, Qt::AlignBottom);
    chart()->addAxis(y_, Qt::AlignLeft);
    curve_->attachAxis(x_);
    curve_->attachAxis(y_);
    x_->setTickType(QValueAxis::TicksDynamic);
    x_->setLabelFormat(QStringLiteral("%.0f"));
    x_->setGridLineVisible(false);
    y_->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
    y_->setLineVisible(false);
    restyle();
    changeRange(range_);
}

void ImportanceStrip::restyle()
{
    const Theme& colors = themeOf(palette());
    setBackgroundBrush(colors.panel); // the chart's own background follows a resize late
    chart()->setBackgroundBrush(colors.panel);
    chart()->setBackgroundPen(Qt::NoPen);
    curve_->setPen(QPen(colors.accent, 1.2));
    for (QAbstractAxis* axis : chart()->axes()) {
        axis->setLabelsFont(interfaceFont(11));
        axis->setLabelsColor(colors.muted);
        axis->setGridLineColor(colors.line);
        axis->setLinePenColor(colors.line);
    }
}

void ImportanceStrip::setScores(std::vector<float> scores, std::shared_ptr<const Analysis> analysis)
{
    const bool sameLength = scores.size() == scores_.size();
    scores_ = std::move(scores);
    analysis_ = std::move(analysis);
    fitHeights();
    for (QAbstractAxis* axis : chart()->axes())
        axis->setVisible(!scores_.empty());
    if (!sameLength) {
        history_.clear();
        changeRange(whole());
    } else {
        fill();
    }
}

void ImportanceStrip::fitHeights()
{
    curve_->replace(QList<QPointF>()); // else a chart lays out the old curve in the new heights, too
    if (locked_) {
        const ValueScale held = ValueScale::held(ValueScaleKind::log, *locked_);
        y_->setRange(std::log10(held.low()), std::log10(held.high()));
        return setDecades();
    }
    double low = std::numeric_limits<double>::infinity();
    double high = 0;
    for (const float score : scores_) {
        if (score > 0) {
            low = std::min(low, static_cast<double>(score));
            high = std::max(high, static_cast<double>(score));
        }
    }
    const double top = high > 0 ? std::log10(high) + 0.1 : 1;
    const double bottom = high > 0 ? std::clamp(std::log10(low) - 0.1, top - mostDecades, top - leastDecades) : 0;
    y_->setRange(bottom, top);
    setDecades();
}

void ImportanceStrip::setLocked(const std::optional<ValueRange>& range)
{
    locked_ = range;
    fitHeights();
    fill();
}

ValueRange ImportanceStrip::heights() const { return { std::pow(10, y_->min()), std::pow(10, y_->max()) }; }

void ImportanceStrip::setDecades()
{
    std::vector<double> places;
    std::vector<double> values;
    const int step = chart()->plotArea().height() < 14 * (y_->max() - y_->min()) ? 2 : 1;
    for (int decade = static_cast<int>(std::ceil(y_->min())); decade <= y_->max(); decade += step) {
        places.push_back(decade);
        values.push_back(std::pow(10, decade));
    }
    charts::setTicks(*y_, y_->min() - 1, places, charts::tickLabels(values, charts::NumberFormat::plain));
}

void ImportanceStrip::setSelection(int side, std::optional<RowSelection> selection)
{
    rows_[static_cast<std::size_t>(side)] = std::move(selection);
    viewport()->update();
}

void ImportanceStrip::setPins(std::vector<Pin> pins)
{
    pins_ = std::move(pins);
    viewport()->update();
}

void ImportanceStrip::setCurrent(std::int64_t token)
{
    current_ = token;
    viewport()->update();
}

void ImportanceStrip::setHovered(std::int64_t token)
{
    if (hovered_ == token)
        return;
    hovered_ = token;
    viewport()->update();
}

// ---- where things stand ----------------------------------------------------------------------------------------

void ImportanceStrip::resizeEvent(QResizeEvent* event)
{
    layOut(size());
    QChartView::resizeEvent(event);
}

void ImportanceStrip::layOut(QSize size)
{
    curve_->replace(QList<QPointF>()); // it is filled anew at the end
    const double rows = 2 * (rowHeight + rowGap);
    chart()->setPlotArea({ leftMargin, 6, std::max(20.0, size.width() - leftMargin - rightMargin),
        std::max(16.0, size.height() - 8 - rows - axisHeight) });
    chart()->resize(size); // after it: a resize lays out the axes, in the plot area that there is
    setDecades();
    changeRange(range_);
}

QRectF ImportanceStrip::rowRect(int row) const
{
    const QRectF plot = chart()->plotArea();
    return { plot.left(), std::round(plot.bottom() + axisHeight + row * (rowHeight + rowGap)), plot.width(),
        rowHeight };
}

double ImportanceStrip::xOf(double position) const
{
    const QRectF plot = chart()->plotArea();
    return plot.left() + (position - range_.first) / (range_.second - range_.first) * plot.width();
}

std::int64_t ImportanceStrip::positionAt(double x) const
{
    const QRectF plot = chart()->plotArea();
    const double share = (x - plot.left()) / plot.width();
    const auto position = static_cast<std::int64_t>(std::floor(std::lerp(range_.first, range_.second, share)));
    const bool inside
        = share >= 0 && share <= 1 && position >= 0 && position < static_cast<std::int64_t>(scores_.size());
    return inside ? position : -1;
}

double ImportanceStrip::heightOf(double score) const
{
    return score > 0 ? std::clamp(std::log10(score), y_->min(), y_->max()) : y_->min();
}

double ImportanceStrip::yOf(double score) const
{
    const QRectF plot = chart()->plotArea();
    return plot.bottom() - (heightOf(score) - y_->min()) / (y_->max() - y_->min()) * plot.height();
}

ImportanceStrip::Range ImportanceStrip::clamped(Range range) const
{
    const double all = whole().second;
    const double span = std::clamp(range.second - range.first, std::min(16.0, all), all);
    const double low = std::clamp(range.first, 0.0, all - span);
    return { low, low + span };
}

void ImportanceStrip::changeRange(Range range)
{
    range_ = clamped(range);
    const double rough = (range_.second - range_.first) / std::max(2.0, chart()->plotArea().width() / 110);
    const double interval = std::exp2(std::max(0.0, std::ceil(std::log2(rough))));
    // Whichever changes first meets the other as it was: never a long range with the ticks of a short one, which would
    // be a tick a token.
    if (interval > x_->tickInterval())
        x_->setTickInterval(interval);
    x_->setRange(range_.first, range_.second);
    x_->setTickInterval(interval);
    fill();
}

/// A point a token, or, where there are more tokens than pixels, the smallest and the largest of every pixel, so that
/// no peak is lost.
void ImportanceStrip::fill()
{
    const auto tokens = static_cast<std::int64_t>(scores_.size());
    const auto first = static_cast<std::int64_t>(range_.first);
    const std::int64_t last = std::min(tokens, static_cast<std::int64_t>(std::ceil(range_.second)));
    QList<QPointF> points;
    beyond_ = {};
    const auto add = [&](std::int64_t i) {
        const auto score = static_cast<double>(scores_[static_cast<std::size_t>(i)]);
        points.emplace_back(static_cast<double>(i) + 0.5, heightOf(score));
        if (locked_ && (score < locked_->low || score > locked_->high))
            beyond_[score > locked_->high ? 1 : 0].push_back(points.last().x());
    };
    const auto columns = static_cast<std::int64_t>(chart()->plotArea().width());
    if (last - first <= 2 * columns) {
        for (std::int64_t i = first; i < last; ++i)
            add(i);
    }
    for (std::int64_t column = 0; column < columns && last - first > 2 * columns; ++column) {
        const std::int64_t from = first + (last - first) * column / columns;
        const std::int64_t to = first + (last - first) * (column + 1) / columns;
        const auto [low, high] = std::minmax_element(scores_.begin() + from, scores_.begin() + to);
        add(std::min(low, high) - scores_.begin());
        add(std::max(low, high) - scores_.begin());
    }
    if (points.size() == 1) // a lone token
        points = { { range_.first, points[0].y() }, { range_.second, points[0].y() } };
    curve_->replace(points);
    viewport()->update();
}

// ---- hands -----------------------------------------------------------------------------------------------------

void ImportanceStrip::changeEvent(QEvent* event)
{
    QChartView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        restyle();
}

void ImportanceStrip::zoomAround(double factor, double share, bool notch)
{
    const double at = std::lerp(range_.first, range_.second, share);
    const double span = (range_.second - range_.first) * factor;
    const Range next = clamped({ at - share * span, at - share * span + span });
    if (next == range_ || scores_.empty())
        return;
    notch ? history_.pushNotch(range_) : history_.push(range_);
    changeRange(next);
}

void ImportanceStrip::wheelEvent(QWheelEvent* event)
{
    const QRectF plot = chart()->plotArea();
    const double share = std::clamp((event->position().x() - plot.left()) / plot.width(), 0.0, 1.0);
    zoomAround(std::pow(0.8, event->angleDelta().y() / 120.0), share, true);
    event->accept();
}

void ImportanceStrip::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::RightButton)
        changeRange(history_.back().value_or(range_));
    if (event->button() != Qt::LeftButton)
        return;
    clicked_ = false;
    pressX_ = event->position().x();
    grabbed_ = range_;
    dragged_ = false;
}

void ImportanceStrip::mouseMoveEvent(QMouseEvent* event)
{
    const double x = event->position().x();
    if (!grabbed_) {
        Q_EMIT tokenHovered(positionAt(x));
        return;
    }
    if (!dragged_ && std::abs(x - pressX_) > 4) {
        dragged_ = true;
        history_.push(range_);
    }
    const double shift = (pressX_ - x) / chart()->plotArea().width() * (range_.second - range_.first);
    if (dragged_)
        changeRange({ grabbed_->first + shift, grabbed_->second + shift });
}

void ImportanceStrip::mouseReleaseEvent(QMouseEvent* event)
{
    const std::int64_t token = positionAt(event->position().x());
    if (grabbed_ && !dragged_ && token >= 0) {
        clicked_ = true;
        Q_EMIT tokenClicked(token);
    }
    grabbed_.reset();
}

void ImportanceStrip::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    if (std::exchange(clicked_, false))
        Q_EMIT clickTakenBack();
    history_.clear();
    changeRange(whole());
}

void ImportanceStrip::leaveEvent(QEvent* event)
{
    Q_EMIT tokenHovered(-1);
    QChartView::leaveEvent(event);
}

void ImportanceStrip::keyPressEvent(QKeyEvent* event)
{
    if (const auto token = tokenByKey(*event, current_, static_cast<std::int64_t>(scores_.size()))) {
        Q_EMIT tokenClicked(*token);
        return;
    }
    const double share = (static_cast<double>(current_) + 0.5 - range_.first) / (range_.second - range_.first);
    const double around = share >= 0 && share <= 1 ? share : 0.5;
    switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomAround(0.7, around, false);
    case Qt::Key_Minus:
        return zoomAround(1 / 0.7, around, false);
    case Qt::Key_Backspace:
        return changeRange(history_.back().value_or(range_));
    case Qt::Key_0:
        history_.clear();
        return changeRange(whole());
    default:
        event->ignore(); // for those around it
    }
}

} // namespace keepset::ui

#include "moc_importance_strip.cpp"
