#include "ui/panels/label_map.h"

#include "ui/theme.h"
#include "ui/widgets/legend.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

LabelMap::LabelMap(QWidget* parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Label of the token in every layer and kv head"));
}

void LabelMap::setKeepSet(std::shared_ptr<const KeepSet> keepSet, std::int64_t token)
{
    keepSet_ = std::move(keepSet);
    token_ = token;
    updateGeometry();
    moveCursor(cursor_);
}

LabelMap::Grid LabelMap::gridFor(int width) const
{
    Grid grid;
    if (!keepSet_ || keepSet_->layers == 0)
        return grid;
    // At most 16 layers a band, as many bands as that needs.
    grid.bands = static_cast<int>((keepSet_->layers + 15) / 16);
    grid.columns = static_cast<int>((keepSet_->layers + grid.bands - 1) / grid.bands);
    grid.cellWidth = std::min(20.0, static_cast<double>(width) / grid.columns);
    grid.cellHeight = keepSet_->kv_heads > 16 ? 5 : 9;
    grid.bandGap = 5;
    return grid;
}

int LabelMap::heightForWidth(int width) const
{
    const Grid grid = gridFor(width);
    const double band = keepSet_ ? static_cast<double>(keepSet_->kv_heads) * grid.cellHeight : 0;
    return static_cast<int>(std::ceil(grid.bands * (band + grid.bandGap)));
}

QRectF LabelMap::cell(const Grid& grid, std::int64_t layer, std::int64_t head) const
{
    const std::int64_t row = layer / grid.columns;
    const auto band = static_cast<double>(row);
    const auto column = static_cast<double>(layer % grid.columns);
    const double bandHeight = static_cast<double>(keepSet_->kv_heads) * grid.cellHeight + grid.bandGap;
    return QRectF(column * grid.cellWidth, band * bandHeight + static_cast<double>(head) * grid.cellHeight,
        grid.cellWidth, grid.cellHeight)
        .adjusted(0, 0, -2, -2);
}

Label LabelMap::labelAt(std::int64_t layer, std::int64_t head) const
{
    return keepSet_->labels[static_cast<std::size_t>((layer * keepSet_->kv_heads + head) * keepSet_->context + token_)];
}

void LabelMap::paintEvent(QPaintEvent*)
{
    if (!filled())
        return;
    const Theme& t = themeOf(this);
    const Grid grid = gridFor(width());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    for (std::int64_t layer = 0; layer < keepSet_->layers; ++layer) {
        for (std::int64_t head = 0; head < keepSet_->kv_heads; ++head) {
            const Label label = labelAt(layer, head);
            const QRectF box = cell(grid, layer, head);
            painter.setBrush(label == Label::evicted ? t.line : t.label(label));
            painter.drawRoundedRect(box, 2, 2);
            if (label == Label::bridge) { // the second cue where colour alone would not do
                painter.setBrush(t.panel);
                painter.drawEllipse(box.center(), 1.4, 1.4);
            }
        }
    }
    if (hasFocus())
        paintFocusRing(painter, cell(grid, cursor_.layer, cursor_.kv_head).adjusted(-2.5, -2.5, 2.5, 2.5), t);
}

QString LabelMap::words(Scope at) const
{
    return tr("layer %1, kv head %2: %3").arg(at.layer).arg(at.kv_head).arg(labelTitle(labelAt(at.layer, at.kv_head)));
}

void LabelMap::moveCursor(Scope to)
{
    if (filled()) {
        cursor_.layer = std::clamp<std::int64_t>(to.layer, 0, keepSet_->layers - 1);
        cursor_.kv_head = std::clamp<std::int64_t>(to.kv_head, 0, keepSet_->kv_heads - 1);
        setAccessibleDescription(words(cursor_));
    }
    update();
}

void LabelMap::keyPressEvent(QKeyEvent* event)
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

void LabelMap::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    moveCursor(cursor_);
}

Scope LabelMap::cellAt(const QPointF& point) const
{
    const Grid grid = gridFor(width());
    for (std::int64_t layer = 0; keepSet_ && layer < keepSet_->layers; ++layer) {
        for (std::int64_t head = 0; head < keepSet_->kv_heads; ++head) {
            if (cell(grid, layer, head).adjusted(0, 0, 2, 2).contains(point))
                return { layer, head };
        }
    }
    return {};
}

void LabelMap::mousePressEvent(QMouseEvent* event)
{
    if (const Scope scope = cellAt(event->position()); scope.layer >= 0)
        Q_EMIT cellClicked(scope);
}

bool LabelMap::event(QEvent* event)
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

#include "moc_label_map.cpp"
