#include "ui/widgets/legend.h"

#include "core/keep_counts.h"
#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QPainter>

#include <algorithm>
#include <utility>

namespace keepset::ui {

namespace {

    constexpr int rowHeight = 22; // px
    constexpr int swatchWidth = 20;
    constexpr int itemGap = 14;

} // namespace

Legend::Legend(QWidget* parent)
    : QWidget(parent)
{
    // Not fixed: layouts remember the most that a widget may be, and this one's height goes with its width.
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setFont(interfaceFont(12));
}

void Legend::setSelection(const std::optional<RowSelection>& selection)
{
    std::vector<Item> items;
    if (selection) {
        static constexpr std::array order
            = { Label::pinned, Label::sink, Label::local, Label::bridge, Label::important, Label::kept };
        for (const Label label : order) {
            const std::int64_t count = selection->counts[static_cast<std::size_t>(label)];
            if (count == 0)
                continue;
            const double share = shares_of_budget(*selection)[static_cast<std::size_t>(label)];
            items.push_back({ label, true,
                tr("%1 %2 · %3").arg(labelTitle(label), formatCount(count), formatPercent(share, 0)), {} });
        }
        items.push_back({ Label::evicted, false, tr("evicted"),
            formatCount(selection->counts[static_cast<std::size_t>(Label::evicted)]) });
        items.push_back({ Label::kept, false, tr("kept attention"), formatPercent(selection->kept_mass) });
    }
    setItems(std::move(items));
}

void Legend::setDifference(const std::vector<Membership>& difference, const QString& a, const QString& b)
{
    std::vector<Item> items;
    const auto counts = membership_counts(difference);
    for (const Membership one : { Membership::only_a, Membership::only_b, Membership::both, Membership::neither }) {
        items.push_back({ one, one != Membership::neither, stateTitle(one, a, b),
            formatCount(counts[static_cast<std::size_t>(one)]) });
    }
    setItems(std::move(items));
}

void Legend::setItems(std::vector<Item> items)
{
    items_ = std::move(items);
    QStringList spoken;
    for (const Item& item : items_)
        spoken << item.text + QLatin1Char(' ') + item.strong;
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    updateGeometry();
    if (twin_)
        twin_->updateGeometry();
    update();
}

int Legend::flow(int width, QPainter* painter) const
{
    const Theme& t = themeOf(this);
    QFont strongFont = font();
    strongFont.setWeight(QFont::DemiBold);
    const QFontMetrics metrics(font());
    const QFontMetrics strongMetrics(strongFont);
    int x = 0;
    int y = 0;
    for (const Item& item : items_) {
        const int lead = item.swatch ? swatchWidth + 6 : 0;
        const int textWidth = metrics.horizontalAdvance(item.text);
        const int strongWidth = item.strong.isEmpty() ? 0 : strongMetrics.horizontalAdvance(item.strong) + 5;
        const int itemWidth = lead + textWidth + strongWidth;
        if (x > 0 && x + itemWidth > width) {
            x = 0;
            y += rowHeight;
        }
        if (painter) {
            if (item.swatch) {
                const QRectF swatch(x, y + 5, swatchWidth, 12);
                drawSwatch(*painter, swatch, styleOf(t, item.state));
                if (item.state == TokenState(Label::pinned))
                    drawPin(*painter, true, swatch, t);
            }
            painter->setFont(font());
            painter->setPen(t.muted);
            const int base = y + (rowHeight + metrics.ascent() - metrics.descent()) / 2;
            painter->drawText(x + lead, base, item.text);
            painter->setFont(strongFont);
            painter->setPen(t.ink);
            painter->drawText(x + lead + textWidth + 5, base, item.strong);
        }
        x += itemWidth + itemGap;
    }
    return items_.empty() ? rowHeight : y + rowHeight;
}

int Legend::heightForWidth(int width) const
{
    return std::max(flow(width, nullptr), twin_ ? twin_->flow(width, nullptr) : 0);
}

QSize Legend::sizeHint() const { return { 300, heightForWidth(std::max(width(), 200)) }; }

QSize Legend::minimumSizeHint() const { return { 120, rowHeight }; }

void Legend::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    flow(width(), &painter);
}

} // namespace keepset::ui

#include "moc_legend.cpp"
