#include "ui/panels/label_map.h"

#include "ui/theme.h"
#include "ui/token_state.h"

#include <QPainter>

namespace keepset::ui {

LabelMap::LabelMap(QWidget* parent)
    : HeadGrid(parent)
{
    setAccessibleName(tr("Label of the token in every layer and kv head"));
}

void LabelMap::setKeepSet(std::shared_ptr<const KeepSet> keepSet, std::int64_t token)
{
    if (keepSet == keepSet_ && token == token_) // another layer is looked at: all of them are shown here
        return;
    keepSet_ = std::move(keepSet);
    token_ = token;
    refill();
}

HeadGrid::Shape LabelMap::shape() const { return keepSet_ ? Shape { keepSet_->layers, keepSet_->kv_heads } : Shape {}; }

Label LabelMap::labelAt(Scope at) const
{
    return keepSet_
        ->labels[static_cast<std::size_t>((at.layer * keepSet_->kv_heads + at.kv_head) * keepSet_->context + token_)];
}

void LabelMap::paintBox(QPainter& painter, const QRectF& box, Scope at, const Theme& theme) const
{
    const Label label = labelAt(at);
    painter.setBrush(label == Label::evicted ? theme.line : theme.label(label));
    painter.drawRoundedRect(box, 2, 2);
    if (label == Label::bridge) { // the second cue where colour alone would not do
        painter.setBrush(theme.panel);
        painter.drawEllipse(box.center(), 1.4, 1.4);
    }
}

QString LabelMap::words(Scope at) const
{
    return tr("layer %1, kv head %2: %3").arg(at.layer).arg(at.kv_head).arg(labelTitle(labelAt(at)));
}

} // namespace keepset::ui

#include "moc_label_map.cpp"
