#include "ui/panels/head_grid.h"

#include "ui/theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

HeadGrid::HeadGrid(QWidget* parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum); // fixed it is never higher than its hint
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setFocusPolicy(Qt::StrongFocus);
}

void HeadGrid::refill()
{
    updateGeometry();
    moveCursor(cursor_);
}

HeadGrid::Grid HeadGrid::gridFor(int width) const
{
    Grid grid;
    const auto [layers, kvHeads] = shape();
    if (layers == 0)
        return grid;
    // At most 16 layers a band, as many bands as that needs.
    grid.bands = static_cast<int>((layers + 15) / 16);
    grid.columns = static_cast<int>((layers + grid.bands - 1) / grid.bands);
    grid.cellWidth = std::min(20.0, static_cast<double>(width) / grid.columns);
    grid.cellHeight = kvHeads > 16 ? 5 : 9;
    grid.bandGap = 5;
    return grid;
}

int HeadGrid::heightForWidth(int width) const
{
    const Grid grid = gridFor(width);
    const double band = static_cast<double>(shape().kvHeads) * grid.cellHeight;
    return static_cast<int>(std::ceil(grid.bands * (band + grid.bandGap)));
}

QRectF HeadGrid::cell(const Grid& grid, std::int64_t layer, std::int64_t head) const
{
    const std::int64_t row = layer / grid.columns;
    const auto band = static_cast<double>(row);
    const auto column = static_cast<double>(layer % grid.columns);
    const double bandHeight = static_cast<double>(shape().kvHeads) * grid.cellHeight + grid.bandGap;
    return QRectF(column * grid.cellWidth, band * bandHeight + static_cast<double>(head) * grid.cellHeight,
        grid.cellWidth, grid.cellHeight)
        .adjusted(0, 0, -2, -2);
}

void HeadGrid::paintEvent(QPaintEvent*)
{
    if (!filled())
        return;
    const Theme& t = themeOf(this);
    const Grid grid = gridFor(width());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const auto [layers, kvHeads] = shape();
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        for (std::int64_t head = 0; head < kvHeads; ++head)
            paintBox(painter, cell(grid, layer, head), { layer, head }, t);
    }
    if (hasFocus())
        paintFocusRing(painter, cell(grid, cursor_.layer, cursor_.kv_head).adjusted(-2.5, -2.5, 2.5, 2.5), t);
}

void HeadGrid::moveCursor(Scope to)
{
    if (filled()) {
        cursor_.layer = std::clamp<std::int64_t>(to.layer, 0, shape().layers - 1);
        cursor_.kv_head = std::clamp<std::int64_t>(to.kv_head, 0, shape().kvHeads - 1);
        setAccessibleDescription(words(cursor_));
    }
    update();
}

void HeadGrid::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
        return moveCursor({ cursor_.layer - 1, cursor_.kv_head });
    case Qt::Key_Right:
        return moveCursor({ cursor_.layer + 1, cursor_.kv_head });
    case Qt::Key_Up:
        return moveCursor({ cursor_.layer, cursor_.kv_head - 1 });
    case Qt::Key_Down:
        return moveCursor({ cursor_.layer, cursor_.kv_head + 1 });
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        if (filled())
            Q_EMIT cellClicked(cursor_);
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

void HeadGrid::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    moveCursor(cursor_);
}

Scope HeadGrid::cellAt(const QPointF& point) const
{
    const Grid grid = gridFor(width());
    const auto [layers, kvHeads] = shape();
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        for (std::int64_t head = 0; head < kvHeads; ++head) {
            if (cell(grid, layer, head).adjusted(0, 0, 2, 2).contains(point))
                return { layer, head };
        }
    }
    return {};
}

void HeadGrid::mousePressEvent(QMouseEvent* event)
{
    if (const Scope scope = cellAt(event->position()); scope.layer >= 0)
        Q_EMIT cellClicked(scope);
}

bool HeadGrid::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (const Scope at = cellAt(help->pos()); at.layer >= 0 && filled()) {
            QToolTip::showText(help->globalPos(), words(at), this);
            return true;
        }
    }
    return QWidget::event(event);
}

} // namespace keepset::ui

#include "moc_head_grid.cpp"
