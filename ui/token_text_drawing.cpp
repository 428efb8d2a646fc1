#include "ui/theme.h"
#include "ui/token_text_view.h"

#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>

#include <algorithm>
#include <cmath>

// How tokens are drawn.
namespace keepset::ui {

void drawUnderline(QPainter& painter, Underline underline, double left, double right, double y, const QColor& color)
{
    switch (underline) {
    case Underline::none:
        return;
    case Underline::solid:
        painter.fillRect(QRectF(left, y, right - left, 2), color);
        return;
    case Underline::twofold:
        painter.fillRect(QRectF(left, y - 1, right - left, 1), color);
        painter.fillRect(QRectF(left, y + 1, right - left, 1), color);
        return;
    case Underline::dotted:
        for (double x = left; x < right - 0.5; x += 4)
            painter.fillRect(QRectF(x, y, std::min(2.0, right - x), 2), color);
        return;
    }
}

void drawSwatch(QPainter& painter, const QRectF& box, const TokenStyle& style, const QPen& frame)
{
    painter.setPen(style.fill.isValid() ? QPen(Qt::NoPen) : frame);
    painter.setBrush(style.fill.isValid() ? QBrush(style.fill) : QBrush(Qt::NoBrush));
    painter.drawRoundedRect(box, 3, 3);
    drawUnderline(painter, style.underline, box.left() + 1, box.right() - 1, box.bottom() - 2, style.line);
}

void drawPin(QPainter& painter, bool stays, const QRectF& box, const Theme& theme)
{
    painter.fillRect(stays ? QRectF(box.left(), box.top(), box.width(), 2)
                           : QRectF(box.left(), std::round(box.center().y()), box.width(), 1.5),
        stays ? theme.ink : theme.fail);
}

void TokenTextView::paintEvent(QPaintEvent* event)
{
    if (!layout_ || layout_->lines() == 0)
        return;
    QPainter painter(viewport());
    painter.setRenderHint(QPainter::Antialiasing);
    const int scroll = verticalScrollBar()->value();
    painter.translate(TokenLayout::margin, -scroll);
    int line = 0; // each once, whatever the region is cut into: labels are drawn half transparent
    for (const QRect& rect : event->region()) {
        line = std::max(line, layout_->lineAt(rect.top() + scroll));
        for (const int last = layout_->lineAt(rect.bottom() + scroll); line <= last; ++line)
            paintLine(painter, line);
    }
    paintOverTokens(painter, event->rect().translated(0, scroll));
    if (hasFocus()) {
        painter.resetTransform();
        paintFocusRing(painter, viewport()->rect(), themeOf(this));
    }
}

void TokenTextView::paintLine(QPainter& painter, int line) const
{
    const Theme& t = themeOf(this);
    const double top = line * TokenLayout::lineHeight;
    const auto& pieces = layout_->pieces(line);
    const auto chosen = [this](std::int64_t token) { return token >= chosen_.begin && token < chosen_.end; };
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const LaidPiece& piece = pieces[i];
        if (piece.right <= piece.left)
            continue;
        if (chosen(piece.token))
            painter.fillRect(
                QRectF(piece.left, top, piece.right - piece.left, TokenLayout::lineHeight), t.chosenFill());
        const TokenState state = stateOf(piece.token);
        const TokenStyle style = styleOf(t, state);
        if (!style.fill.isValid())
            continue;
        // A run of one state is one band; a token that stands alone leaves its leading space out.
        const bool follows = i > 0 && stateOf(pieces[i - 1].token) == state;
        const double left = follows ? piece.left + 0.5 : piece.inkLeft - 1;
        const QRectF box(left, top + 2, piece.right - left, TokenLayout::lineHeight - 4);
        painter.setBrush(chosen(piece.token) ? QBrush(Qt::NoBrush) : QBrush(style.fill)); // two would be mud
        painter.drawRoundedRect(box, 3, 3);
        drawUnderline(painter, style.underline, box.left() + 0.5, box.right() - 0.5, box.bottom() - 1.5, style.line);
    }
    for (const LaidPiece& piece : pieces) {
        painter.setPen(chosen(piece.token) ? t.ink : styleOf(t, stateOf(piece.token)).ink);
        for (const QGlyphRun& run : piece.glyphs)
            painter.drawGlyphRun(layout_->glyphOrigin(line), run);
    }
    paintMarks(painter, line);
}

/// Frames; `part`: of the text.
void TokenTextView::paintOverTokens(QPainter& painter, const QRect& part) const
{
    const Theme& t = themeOf(this);
    const auto& first = layout_->pieces(layout_->lineAt(part.top()));
    const auto& last = layout_->pieces(layout_->lineAt(part.bottom()));
    if (!first.empty() && !last.empty()) {
        for (auto match = std::ranges::lower_bound(matches_, first.front().token);
             match != matches_.end() && *match <= last.back().token; ++match)
            paintOutline(painter, *match, t.warning, 1.5);
    }
    if (hovered_ >= 0 && hovered_ != current_)
        paintOutline(painter, hovered_, t.muted, 1);
    if (current_ >= 0)
        paintOutline(painter, current_, t.accent, 2);
}

const Pin* TokenTextView::pinOf(std::int64_t token) const
{
    const auto behind = std::ranges::upper_bound(pins_, token, {}, &Pin::begin);
    return behind != pins_.begin() && token < std::prev(behind)->end ? &*std::prev(behind) : nullptr;
}

/// What the user marked.
void TokenTextView::paintMarks(QPainter& painter, int line) const
{
    for (const LaidPiece& piece : layout_->pieces(line)) {
        const Pin* pin = piece.right > piece.left ? pinOf(piece.token) : nullptr;
        if (pin == nullptr)
            continue;
        const double left = piece.token == pin->begin ? piece.inkLeft - 1 : piece.left;
        drawPin(painter, pin->stays,
            { left, line * TokenLayout::lineHeight + 1, piece.right - left, TokenLayout::lineHeight - 3 },
            themeOf(this));
    }
}

void TokenTextView::paintOutline(QPainter& painter, std::int64_t token, const QColor& color, double width) const
{
    painter.setPen(QPen(color, width));
    painter.setBrush(Qt::NoBrush);
    for (const QRectF& box : layout_->boxes(token))
        painter.drawRoundedRect(box.adjusted(-2, -0.5, 1.5, 0.5), 3, 3);
}

} // namespace keepset::ui
