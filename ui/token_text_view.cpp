#include "ui/token_text_view.h"

#include "ui/format.h"
#include "ui/theme.h"
#include "ui/token_keys.h"
#include "ui/token_text_accessible.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    constexpr double outlineRoom = 4; // px that the outline of a token goes beyond its box, at most

} // namespace

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
    letScreenReadersIn();
}

void TokenTextView::setDocument(std::shared_ptr<const TokenDocument> document)
{
    document_ = std::move(document);
    states_.clear();
    matches_.clear();
    pins_.clear();
    chosen_ = {};
    anchor_ = -1;
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

void TokenTextView::setPins(std::vector<Pin> pins)
{
    pins_ = std::move(pins);
    viewport()->update();
}

void TokenTextView::setChosen(TextLine chosen)
{
    if (chosen == chosen_)
        return;
    chosen_ = chosen;
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
        layout_ = std::make_unique<TokenLayout>(document_, serifFont(), viewport()->width() - 2 * TokenLayout::margin);
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

std::vector<QRectF> TokenTextView::boxes(std::int64_t token) const
{
    std::vector<QRectF> result = layout_ ? layout_->boxes(token) : std::vector<QRectF>();
    for (QRectF& box : result)
        box.translate(TokenLayout::margin, -verticalScrollBar()->value());
    return result;
}

std::int64_t TokenTextView::tokenAt(const QPoint& viewportPosition) const
{
    return layout_
        ? layout_->tokenAt(QPointF(viewportPosition) + QPointF(-TokenLayout::margin, verticalScrollBar()->value()))
        : -1;
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
    Q_EMIT detailsDismissed();
    viewport()->update();
}

/// Chooses all from the anchor to a token.
void TokenTextView::chooseTo(std::int64_t token)
{
    if (anchor_ < 0)
        anchor_ = token;
    Q_EMIT rangeChosen(anchor_, token);
}

void TokenTextView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    const std::int64_t token = tokenAt(event->position().toPoint());
    if (token < 0)
        return;
    dragging_ = true;
    if (event->modifiers() & Qt::ShiftModifier) {
        if (chosen_.end - chosen_.begin < 2)
            anchor_ = current_;
        return chooseTo(token);
    }
    anchor_ = token;
    Q_EMIT rangeChosen(token, token);
    Q_EMIT tokenClicked(token);
}

void TokenTextView::mouseMoveEvent(QMouseEvent* event)
{
    const std::int64_t token = tokenAt(event->position().toPoint());
    if (dragging_ && token >= 0)
        chooseTo(token);
    Q_EMIT tokenHovered(dragging_ ? -1 : token);
}

void TokenTextView::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        dragging_ = false;
}

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
    if (event->key() == Qt::Key_Space)
        return Q_EMIT detailsAsked();
    if (event->key() == Qt::Key_Escape) {
        Q_EMIT detailsDismissed();
        Q_EMIT rangeChosen(current_, current_);
        return QAbstractScrollArea::keyPressEvent(event); // others may have something to end, too
    }
    if (!token)
        return QAbstractScrollArea::keyPressEvent(event);
    if (event->modifiers() & Qt::ShiftModifier) {
        if (chosen_.end - chosen_.begin < 2)
            anchor_ = current_;
        chooseTo(*token);
    } else {
        Q_EMIT rangeChosen(*token, *token);
    }
    if (*token >= 0 && *token != current_)
        Q_EMIT tokenClicked(*token);
}

} // namespace keepset::ui

#include "moc_token_text_view.cpp"
