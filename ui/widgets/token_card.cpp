#include "ui/widgets/token_card.h"

#include "core/analysis.h"
#include "ui/format.h"
#include "ui/importance_choice.h"
#include "ui/plot/readout_box.h"
#include "ui/row_state.h"
#include "ui/theme.h"
#include "ui/token_state.h"
#include "ui/token_text_view.h"

#include <QPainter>

#include <algorithm>

namespace keepset::ui {

namespace {

    constexpr int padding = 10; // px
    constexpr int lineHeight = 20;
    constexpr int headHeight = 24;
    constexpr int column = 10; // between names and values
    constexpr int swatchWidth = 20;
    constexpr int distance = 4; // of the card to the token
    constexpr qsizetype longestText = 40; // signs of a token

    QFont headFont() { return serifFont(16); }
    QFont lineFont(bool strong = false) { return interfaceFont(12, strong); }

    QString shortened(const QString& text)
    {
        return text.size() <= longestText
            ? text
            : text.left(longestText * 2 / 3) + QStringLiteral(" … ") + text.right(longestText / 3);
    }

    QString nameOf(const QString& line) { return line.section(QLatin1Char('\t'), 0, 0); }
    QString valueOf(const QString& line) { return line.section(QLatin1Char('\t'), 1); }

    /// Width of the first column: of names and policies.
    int nameWidth(const TokenFacts& facts)
    {
        const QFontMetrics metrics(lineFont());
        int width = 0;
        for (const QString& line : facts.lines)
            width = std::max(width, metrics.horizontalAdvance(nameOf(line)));
        for (const TokenFacts::Side& side : facts.sides)
            width = std::max(width, metrics.horizontalAdvance(side.policy));
        return width;
    }

} // namespace

TokenFacts factsOf(const RowState& rows, std::int64_t token)
{
    TokenFacts facts;
    const Token& shown = rows.analysis()->tokens[static_cast<std::size_t>(token)];
    facts.text = shortened(formatTokenExactly(QString::fromStdString(shown.text)));
    const auto line
        = [&](const QString& name, const QString& value) { facts.lines << name + QLatin1Char('\t') + value; };
    line(TokenCard::tr("position"), formatCount(token));
    line(TokenCard::tr("token id"), formatCount(shown.id));
    line(TokenCard::tr("importance"), importanceWords(*rows.row(), token));
    for (int side = 0; side < 2; ++side) {
        const auto why = rows.explanation(side, token);
        if (!why)
            continue;
        if (facts.sides.empty())
            line(TokenCard::tr("rank"),
                TokenCard::tr("%1 of %2").arg(formatCount(why->rank), formatCount(rows.analysis()->context)));
        facts.sides.push_back({ QString::fromStdString(rows.selection(side)->title), why->label });
    }
    return facts;
}

QPoint placeOfCard(QSize card, const std::vector<QRect>& token, QRect room)
{
    QRect all;
    for (const QRect& box : token)
        all |= box;
    const auto within = [&](QPoint at) {
        return QPoint(std::clamp(at.x(), room.left(), std::max(room.left(), room.right() + 1 - card.width())),
            std::clamp(at.y(), room.top(), std::max(room.top(), room.bottom() + 1 - card.height())));
    };
    const int left = token.empty() ? all.left() : token.front().left();
    for (const QPoint at : { QPoint(token.empty() ? left : token.back().left(), all.bottom() + 1 + distance),
             QPoint(left, all.top() - distance - card.height()), QPoint(all.right() + 1 + distance, all.top()),
             QPoint(all.left() - distance - card.width(), all.top()) }) {
        const QRect placed(within(at), card);
        if (std::ranges::none_of(token, [&](const QRect& box) { return placed.intersects(box); }))
            return placed.topLeft();
    }
    return within(all.bottomLeft());
}

TokenCard::TokenCard(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("tokenCard"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setFocusPolicy(Qt::NoFocus);
    setAccessibleName(tr("Token"));
    hide();
}

void TokenCard::tell(const TokenFacts& facts, const std::vector<QRect>& token)
{
    facts_ = facts;
    QStringList spoken { facts.text };
    for (const QString& line : facts.lines)
        spoken << nameOf(line) + QLatin1Char(' ') + valueOf(line);
    for (const TokenFacts::Side& side : facts.sides)
        spoken << side.policy + QLatin1Char(' ') + labelTitle(side.label);
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    const QSize size = sizeHint();
    const QRect room = parentWidget()->rect().adjusted(2, 2, -2, -2);
    setGeometry(QRect(placeOfCard(size, token, room), size));
    raise();
    show();
    update();
}

QSize TokenCard::sizeHint() const
{
    const QFontMetrics metrics(lineFont(true));
    int values = 0;
    for (const QString& line : facts_.lines)
        values = std::max(values, metrics.horizontalAdvance(valueOf(line)));
    for (const TokenFacts::Side& side : facts_.sides)
        values = std::max(values, swatchWidth + 6 + metrics.horizontalAdvance(labelTitle(side.label)));
    const int width
        = std::max(nameWidth(facts_) + column + values, QFontMetrics(headFont()).horizontalAdvance(facts_.text));
    const auto lines = static_cast<int>(facts_.lines.size()) + static_cast<int>(facts_.sides.size());
    return { width + 2 * padding + 2, headHeight + lines * lineHeight + padding + padding / 2 };
}

void TokenCard::paintEvent(QPaintEvent*)
{
    const Theme& t = themeOf(this);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    plot::paintReadoutFrame(painter, plot::styleFor(palette()), QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    QRectF row(padding, padding / 2.0, width() - 2 * padding, headHeight);
    const auto write = [&](const QFont& font, const QColor& color, double left, const QString& words) {
        painter.setFont(font);
        painter.setPen(color);
        painter.drawText(row.adjusted(left, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, words);
    };
    write(headFont(), t.ink, 0, facts_.text);
    row = QRectF(row.left(), row.bottom(), row.width(), lineHeight);
    const double values = nameWidth(facts_) + column;
    for (const QString& line : facts_.lines) {
        write(lineFont(), t.muted, 0, nameOf(line));
        write(lineFont(true), t.ink, values, valueOf(line));
        row.translate(0, lineHeight);
    }
    for (const TokenFacts::Side& side : facts_.sides) {
        write(lineFont(), t.muted, 0, side.policy);
        const QRectF swatch(row.left() + values, row.center().y() - 6, swatchWidth, 12);
        drawSwatch(painter, swatch, styleOf(t, side.label), QPen(t.line, 1));
        if (side.label == Label::pinned)
            drawPin(painter, true, swatch, t);
        write(lineFont(true), side.label == Label::evicted ? t.muted : t.ink, values + swatchWidth + 6,
            labelTitle(side.label));
        row.translate(0, lineHeight);
    }
}

} // namespace keepset::ui

#include "moc_token_card.cpp"
