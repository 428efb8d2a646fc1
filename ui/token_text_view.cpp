#include "ui/token_text_view.h"

#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_keys.h"
#include "ui/token_text_accessible.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    constexpr double margin = 3; // px left and right of the text, so that outlines are not cut
    constexpr double outlineRoom = 4; // px that the outline of a token goes beyond its box, at most

} // namespace

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

TokenTextView::TokenTextView(QWidget* parent)
    : QAbstractScrollArea(parent)
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    viewport()->setAutoFillBackground(false);
    verticalScrollBar()->setSingleStep(static_cast<int>(TokenLayout::lineHeight));
    setMinimumHeight(96);
    letScreenReadersIn();
}

void TokenTextView::setDocument(std::shared_ptr<const TokenDocument> document)
{
    document_ = std::move(document);
    states_.clear();
    matches_.clear();
    current_ = -1;
    hovered_ = -1;
    layOut();
    verticalScrollBar()->setValue(0);
}

void TokenTextView::setStates(std::vector<TokenState> states)
{
    states_ = std::move(states);
    viewport()->update();
}

void TokenTextView::setLabels(const std::vector<Label>& labels) { setStates({ labels.begin(), labels.end() }); }

void TokenTextView::setMatches(std::vector<std::int64_t> tokens)
{
    if (tokens == matches_)
        return;
    matches_ = std::move(tokens);
    viewport()->update();
}

void TokenTextView::setCurrent(std::int64_t token)
{
    if (token == current_)
        return;
    updateOutline(current_);
    current_ = document_ && token < document_->tokens() ? token : -1;
    updateOutline(current_);
    tellScreenReader(this);
}

void TokenTextView::setHovered(std::int64_t token)
{
    if (token == hovered_)
        return;
    updateOutline(hovered_);
    hovered_ = document_ && token < document_->tokens() ? token : -1;
    updateOutline(hovered_);
}

void TokenTextView::updateOutline(std::int64_t token)
{
    if (token < 0)
        return;
    for (const QRectF& box : boxes(token))
        viewport()->update(box.adjusted(-outlineRoom, -outlineRoom, outlineRoom, outlineRoom).toAlignedRect());
}

void TokenTextView::layOut()
{
    layout_.reset();
    if (document_)
        layout_ = std::make_unique<TokenLayout>(document_, serifFont(), viewport()->width() - 2 * margin);
    const int height = layout_ ? static_cast<int>(std::ceil(layout_->height())) : 0;
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
    viewport()->update();
}

void TokenTextView::resizeEvent(QResizeEvent* event)
{
    // The token at the top stays at the top when the width changes.
    std::int64_t top = -1;
    if (layout_ && verticalScrollBar()->value() > 0) {
        const auto& pieces = layout_->pieces(layout_->lineAt(verticalScrollBar()->value()));
        top = pieces.empty() ? -1 : pieces.front().token;
    }
    if (!layout_ || event->oldSize().width() != event->size().width()) {
        layOut();
        if (top >= 0)
            verticalScrollBar()->setValue(static_cast<int>(layout_->lineOf(top) * TokenLayout::lineHeight));
        return;
    }
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setRange(
        0, std::max(0, static_cast<int>(std::ceil(layout_->height())) - viewport()->height()));
}

TokenState TokenTextView::stateOf(std::int64_t token) const
{
    return static_cast<std::size_t>(token) < states_.size() ? states_[static_cast<std::size_t>(token)] : Label::evicted;
}

void TokenTextView::paintEvent(QPaintEvent* event)
{
    if (!layout_ || layout_->lines() == 0)
        return;
    QPainter painter(viewport());
    painter.setRenderHint(QPainter::Antialiasing);
    const int scroll = verticalScrollBar()->value();
    painter.translate(margin, -scroll);
    int line = 0; // each once, whatever the region is cut into: labels are drawn half transparent
    for (const QRect& rect : event->region()) {
        line = std::max(line, layout_->lineAt(rect.top() + scroll));
        for (const int last = layout_->lineAt(rect.bottom() + scroll); line <= last; ++line)
            paintLine(painter, line);
    }
    const Theme& t = themeOf(this);
    const auto& first = layout_->pieces(layout_->lineAt(event->rect().top() + scroll));
    const auto& last = layout_->pieces(layout_->lineAt(event->rect().bottom() + scroll));
    if (!first.empty() && !last.empty()) {
        for (auto match = std::ranges::lower_bound(matches_, first.front().token);
             match != matches_.end() && *match <= last.back().token; ++match)
            paintOutline(painter, *match, t.warning, 1.5);
    }
    if (hovered_ >= 0 && hovered_ != current_)
        paintOutline(painter, hovered_, t.muted, 1);
    if (current_ >= 0)
        paintOutline(painter, current_, t.accent, 2);
    if (hasFocus()) {
        painter.resetTransform();
        paintFocusRing(painter, viewport()->rect(), t);
    }
}

void TokenTextView::paintLine(QPainter& painter, int line) const
{
    const Theme& t = themeOf(this);
    const double top = line * TokenLayout::lineHeight;
    const auto& pieces = layout_->pieces(line);
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const LaidPiece& piece = pieces[i];
        const TokenState state = stateOf(piece.token);
        const TokenStyle style = styleOf(t, state);
        if (!style.fill.isValid() || piece.right <= piece.left)
            continue;
        // A run of one state is one band; a token that stands alone leaves its leading space out.
        const bool follows = i > 0 && stateOf(pieces[i - 1].token) == state;
        const double left = follows ? piece.left + 0.5 : piece.inkLeft - 1;
        const QRectF box(left, top + 2, piece.right - left, TokenLayout::lineHeight - 4);
        painter.setBrush(style.fill);
        painter.drawRoundedRect(box, 3, 3);
        drawUnderline(painter, style.underline, box.left() + 0.5, box.right() - 0.5, box.bottom() - 1.5, style.line);
    }
    for (const LaidPiece& piece : pieces) {
        painter.setPen(styleOf(t, stateOf(piece.token)).ink);
        for (const QGlyphRun& run : piece.glyphs)
            painter.drawGlyphRun(layout_->glyphOrigin(line), run);
    }
}

void TokenTextView::paintOutline(QPainter& painter, std::int64_t token, const QColor& color, double width) const
{
    painter.setPen(QPen(color, width));
    painter.setBrush(Qt::NoBrush);
    for (const QRectF& box : layout_->boxes(token))
        painter.drawRoundedRect(box.adjusted(-2, -0.5, 1.5, 0.5), 3, 3);
}

std::vector<QRectF> TokenTextView::boxes(std::int64_t token) const
{
    std::vector<QRectF> result = layout_ ? layout_->boxes(token) : std::vector<QRectF>();
    for (QRectF& box : result)
        box.translate(margin, -verticalScrollBar()->value());
    return result;
}

std::int64_t TokenTextView::tokenAt(const QPoint& viewportPosition) const
{
    return layout_ ? layout_->tokenAt(QPointF(viewportPosition) + QPointF(-margin, verticalScrollBar()->value())) : -1;
}

void TokenTextView::reveal(std::int64_t token)
{
    if (!layout_ || token < 0 || token >= document_->tokens())
        return;
    const auto top = static_cast<int>(layout_->lineOf(token) * TokenLayout::lineHeight);
    const int scroll = verticalScrollBar()->value();
    const int page = viewport()->height();
    if (top < scroll || top + TokenLayout::lineHeight > scroll + page)
        verticalScrollBar()->setValue(top - page / 3);
}

void TokenTextView::focusInEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void TokenTextView::focusOutEvent(QFocusEvent* event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

void TokenTextView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    if (const std::int64_t token = tokenAt(event->position().toPoint()); token >= 0)
        Q_EMIT tokenClicked(token);
}

void TokenTextView::mouseMoveEvent(QMouseEvent* event) { Q_EMIT tokenHovered(tokenAt(event->position().toPoint())); }

void TokenTextView::leaveEvent(QEvent* event)
{
    Q_EMIT tokenHovered(-1);
    QAbstractScrollArea::leaveEvent(event);
}

bool TokenTextView::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::Leave)
        Q_EMIT tokenHovered(-1);
    return QAbstractScrollArea::viewportEvent(event);
}

/// The token above or below.
std::int64_t TokenTextView::stepFrom(std::int64_t token, int key) const
{
    const auto boxes = layout_->boxes(std::max<std::int64_t>(token, 0));
    if (boxes.empty())
        return std::clamp<std::int64_t>(token + (key == Qt::Key_Up ? -1 : 1), 0, document_->tokens() - 1);
    const double step = key == Qt::Key_Up ? -TokenLayout::lineHeight : TokenLayout::lineHeight;
    const std::int64_t found = layout_->tokenAt(boxes.front().center() + QPointF(0, step));
    return found >= 0 ? found : token;
}

void TokenTextView::keyPressEvent(QKeyEvent* event)
{
    const bool vertical = event->key() == Qt::Key_Up || event->key() == Qt::Key_Down;
    if (!layout_ || document_->tokens() == 0)
        return QAbstractScrollArea::keyPressEvent(event);
    const std::optional<std::int64_t> token
        = vertical ? stepFrom(current_, event->key()) : tokenByKey(*event, current_, document_->tokens());
    if (!token)
        return QAbstractScrollArea::keyPressEvent(event);
    if (*token >= 0 && *token != current_)
        Q_EMIT tokenClicked(*token);
}

} // namespace keepset::ui

#include "moc_token_text_view.cpp"
