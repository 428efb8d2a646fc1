#include "ui/widgets/flow_layout.h"

#include <QWidget>

#include <algorithm>

namespace keepset::ui {

namespace {

    bool grows(const QLayoutItem& item) { return item.expandingDirections().testFlag(Qt::Horizontal); }

    /// What grows needs its least; the rest gets what it asks for.
    int widthOf(const QLayoutItem& item) { return grows(item) ? item.minimumSize().width() : item.sizeHint().width(); }

} // namespace

FlowLayout::FlowLayout(int spacing, QWidget* parent)
    : QLayout(parent)
{
    setContentsMargins(0, 0, 0, 0);
    setSpacing(spacing);
}

FlowLayout::~FlowLayout() = default;

void FlowLayout::addItem(QLayoutItem* item)
{
    items_.emplace_back(item);
    invalidate();
}

QLayoutItem* FlowLayout::itemAt(int index) const
{
    return index >= 0 && index < count() ? items_[static_cast<std::size_t>(index)].get() : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index)
{
    if (index < 0 || index >= count())
        return nullptr;
    QLayoutItem* item = items_[static_cast<std::size_t>(index)].release();
    items_.erase(items_.begin() + index);
    invalidate();
    return item;
}

std::vector<FlowLayout::Line> FlowLayout::linesOf(int width) const
{
    std::vector<Line> lines = flow(width, -1);
    if (lines.size() == 1 || together_ < 0)
        return lines;
    std::vector<Line> apart = flow(width, together_);
    return apart.size() <= lines.size() ? apart : lines;
}

std::vector<FlowLayout::Line> FlowLayout::flow(int width, int newLineAt) const
{
    std::vector<Line> lines(1);
    bool begins = false;
    for (int i = 0; i < count(); ++i) {
        const auto& item = items_[static_cast<std::size_t>(i)];
        begins = begins || i == newLineAt;
        if (item->isEmpty())
            continue; // a hidden widget
        const int own = std::min(widthOf(*item), width);
        const int before = lines.back().items.empty() ? 0 : lines.back().width + spacing();
        if ((begins || before + own > width) && !lines.back().items.empty())
            lines.emplace_back();
        begins = false;
        Line& line = lines.back();
        line.width += own + (line.items.empty() ? 0 : spacing());
        line.height = std::max(line.height, item->sizeHint().height());
        line.growing += grows(*item) ? 1 : 0;
        line.items.push_back(item.get());
    }
    return lines;
}

int FlowLayout::heightForWidth(int width) const
{
    const bool twin = twin_ != nullptr && !twin_->parentWidget()->isHidden();
    return std::max(ownHeight(width), twin ? twin_->ownHeight(width) : 0);
}

int FlowLayout::ownHeight(int width) const
{
    const auto lines = linesOf(width - contentsMargins().left() - contentsMargins().right());
    int height = contentsMargins().top() + contentsMargins().bottom();
    for (const Line& line : lines)
        height += line.height;
    return height + static_cast<int>(lines.size() - 1) * spacing();
}

QSize FlowLayout::sizeHint() const
{
    const Line all = linesOf(QLAYOUTSIZE_MAX).front();
    return QSize(all.width, all.height).grownBy(contentsMargins());
}

QSize FlowLayout::minimumSize() const
{
    QSize least;
    for (const auto& item : items_)
        least = least.expandedTo(item->isEmpty() ? QSize() : item->minimumSize());
    return least.grownBy(contentsMargins());
}

void FlowLayout::setGeometry(const QRect& rect)
{
    QLayout::setGeometry(rect);
    const QRect inside = rect.marginsRemoved(contentsMargins());
    int top = inside.top();
    for (const Line& line : linesOf(inside.width())) {
        place(line, QRect(inside.left(), top, inside.width(), line.height));
        top += line.height + spacing();
    }
}

void FlowLayout::place(const Line& line, const QRect& rect) const
{
    int left = rect.left();
    const int more = line.growing > 0 ? std::max(0, rect.width() - line.width) / line.growing : 0;
    for (QLayoutItem* item : line.items) {
        const int most = item->maximumSize().width();
        const int width = std::min({ widthOf(*item) + (grows(*item) ? more : 0), rect.width(), most });
        const int height = std::min(item->sizeHint().height(), line.height);
        const bool bottom = item->alignment().testFlag(Qt::AlignBottom);
        const int top = bottom ? rect.bottom() + 1 - height : rect.top() + (line.height - height) / 2;
        item->setGeometry(QRect(left, top, width, height));
        left += width + spacing();
    }
}

} // namespace keepset::ui

#include "moc_flow_layout.cpp"
