#include "ui/widgets/legend.h"

#include "core/keep_counts.h"
#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QPainter>

#include <algorithm>
#include <array>
#include <utility>

namespace keepset::ui {

namespace {

    constexpr int rowHeight = 22; // px
    constexpr int swatchWidth = 20;
    constexpr int itemGap = 14;
    constexpr std::array order
        = { Label::pinned, Label::sink, Label::local, Label::bridge, Label::important, Label::kept };

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
        for (const Label label : order) {
            const std::int64_t count = selection->counts[static_cast<std::size_t>(label)];
            if (count == 0)
                continue;
            const double share = shares_of_budget(*selection)[static_cast<std::size_t>(label)];
            items.push_back({ label, Swatch::token,
                tr("%1 %2 · %3").arg(labelTitle(label), formatCount(count), formatPercent(share, 0)), {} });
        }
        items.push_back({ Label::evicted, Swatch::none, tr("evicted"),
            formatCount(selection->counts[static_cast<std::size_t>(Label::evicted)]) });
        items.push_back({ Label::kept, Swatch::none, tr("kept attention"), formatPercent(selection->kept_mass) });
    }
    setItems(std::move(items));
}

void Legend::setBars(const std::array<const RowSelection*, 2>& selections)
{
    std::vector<Item> items;
    for (const Label label : order) {
        const auto has
            = [label](const RowSelection* one) { return one && one->counts[static_cast<std::size_t>(label)] > 0; };
        if (std::ranges::any_of(selections, has))
            items.push_back({ label, Swatch::bar, labelTitle(label), {} });
    }
    if (!items.empty())
        items.push_back({ Label::evicted, Swatch::bar, tr("evicted"), {} });
    setItems(std::move(items));
}

void Legend::setDifference(const std::vector<Membership>& difference, const QString& a, const QString& b)
{
    std::vector<Item> items;
    const auto counts = membership_counts(difference);
    for (const Membership one : { Membership::only_a, Membership::only_b, Membership::both, Membership::neither }) {
        items.push_back({ one, one != Membership::neither ? Swatch::token : Swatch::none, stateTitle(one, a, b),
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

void Legend::drawSwatchOf(const Item& item, const QRectF& swatch, QPainter& painter) const
{
    const Theme& t = themeOf(this);
    if (item.swatch == Swatch::bar) {
        const Label label = std::get<Label>(item.state);
        painter.fillRect(swatch.adjusted(0, 1, 0, -1), label == Label::evicted ? t.line : t.label(label));
        return;
    }
    drawSwatch(painter, swatch, styleOf(t, item.state));
    if (item.state == TokenState(Label::pinned))
        drawPin(painter, true, swatch, t);
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
        const int lead = item.swatch != Swatch::none ? swatchWidth + 6 : 0;
        const int textWidth = metrics.horizontalAdvance(item.text);
        const int strongWidth = item.strong.isEmpty() ? 0 : strongMetrics.horizontalAdvance(item.strong) + 5;
        const int itemWidth = lead + textWidth + strongWidth;
        if (x > 0 && x + itemWidth > width) {
            x = 0;
            y += rowHeight;
        }
        if (painter) {
            if (item.swatch != Swatch::none)
                drawSwatchOf(item, QRectF(x, y + 5, swatchWidth, 12), *painter);
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
