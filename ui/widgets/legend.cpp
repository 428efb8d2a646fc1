#include "ui/widgets/legend.h"

#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QCoreApplication>
#include <QPainter>

namespace keepset::ui {

namespace {

    constexpr int rowHeight = 22; // px
    constexpr int swatchWidth = 20;
    constexpr int itemGap = 14;

} // namespace

QString labelTitle(Label label)
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("keepset::ui", text); };
    switch (label) {
    case Label::evicted:
        return tr("evicted");
    case Label::kept:
        return tr("kept");
    case Label::local:
        return tr("local");
    case Label::important:
        return tr("important");
    case Label::bridge:
        return tr("bridge");
    case Label::sink:
        return tr("sink");
    }
    return {};
}

Legend::Legend(QWidget* parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setFont(interfaceFont(12));
}

void Legend::setSelection(const std::optional<RowSelection>& selection)
{
    items_.clear();
    QStringList spoken;
    if (selection) {
        static constexpr std::array order = { Label::sink, Label::local, Label::bridge, Label::important, Label::kept };
        for (const Label label : order) {
            const std::int64_t count = selection->counts[static_cast<std::size_t>(label)];
            if (count == 0)
                continue;
            const double share = static_cast<double>(count) / static_cast<double>(selection->budget);
            items_.push_back({ label, true,
                tr("%1 %2 · %3").arg(labelTitle(label), formatCount(count), formatPercent(share, 0)), {} });
        }
        items_.push_back({ Label::evicted, false, tr("evicted"),
            formatCount(selection->counts[static_cast<std::size_t>(Label::evicted)]) });
        items_.push_back({ Label::kept, false, tr("kept attention"), formatPercent(selection->kept_mass) });
        for (const Item& item : items_)
            spoken << item.text + QLatin1Char(' ') + item.strong;
    }
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
                painter->setPen(Qt::NoPen);
                painter->setBrush(t.labelFill(item.label));
                painter->drawRoundedRect(swatch, 3, 3);
                drawUnderline(*painter, item.label, swatch.left() + 1, swatch.right() - 1, swatch.bottom() - 2,
                    t.label(item.label));
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

#include <algorithm>
