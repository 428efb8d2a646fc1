#include "ui/panels/jaccard_map.h"

#include "ui/theme.h"

#include <QPainter>

namespace keepset::ui {

JaccardMap::JaccardMap(QWidget* parent)
    : HeadGrid(parent)
{
    setAccessibleName(tr("Jaccard of the two keep sets in every layer and kv head"));
}

void JaccardMap::setValues(std::vector<double> values, std::int64_t kvHeads)
{
    values_ = std::move(values);
    kvHeads_ = kvHeads;
    refill();
}

void JaccardMap::setChosen(Scope chosen)
{
    chosen_ = chosen;
    update();
}

HeadGrid::Shape JaccardMap::shape() const
{
    return filled() ? Shape { static_cast<std::int64_t>(values_.size()) / kvHeads_, kvHeads_ } : Shape {};
}

void JaccardMap::paintBox(QPainter& painter, const QRectF& box, Scope at, const Theme& theme) const
{
    painter.setBrush(theme.line);
    painter.drawRoundedRect(box, 2, 2);
    QRectF filled = box;
    filled.setTop(box.bottom() - (1 - valueAt(at)) * box.height());
    painter.setBrush(theme.accent);
    painter.drawRoundedRect(filled, 2, 2);
    if (at.layer != chosen_.layer || (chosen_.kv_head >= 0 && at.kv_head != chosen_.kv_head))
        return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(theme.ink, 1.4));
    painter.drawRoundedRect(box.adjusted(-0.8, -0.8, 0.8, 0.8), 2, 2);
    painter.setPen(Qt::NoPen);
}

QString JaccardMap::words(Scope at) const
{
    return tr("layer %1, kv head %2: Jaccard %3")
        .arg(at.layer)
        .arg(at.kv_head)
        .arg(QString::number(valueAt(at), 'f', 2));
}

} // namespace keepset::ui

#include "moc_jaccard_map.cpp"
