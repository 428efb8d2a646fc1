#include "ui/token_hover.h"

#include "ui/row_state.h"
#include "ui/selection_state.h"
#include "ui/token_text_view.h"
#include "ui/widgets/token_card.h"

#include <QAccessible>
#include <QScrollBar>

namespace keepset::ui {

TokenHover::TokenHover(SelectionState* selection, RowState* rows, QWidget* page)
    : QObject(page)
    , selection_(selection)
    , rows_(rows)
    , page_(page)
    , card_(new TokenCard(page))
{
    // Queued: the views move to the token first.
    connect(selection_, &SelectionState::tokenChanged, this, &TokenHover::refresh, Qt::QueuedConnection);
    connect(rows_, &RowState::selectionsChanged, this, &TokenHover::refresh, Qt::QueuedConnection);
    connect(rows_, &RowState::rowChanged, this, &TokenHover::end);
}

void TokenHover::attach(TokenTextView* view)
{
    connect(view, &TokenTextView::tokenHovered, this, [this, view](qint64 token) {
        if (token >= 0 || asked_ == nullptr)
            show(view, token);
        else
            refresh();
    });
    connect(view, &TokenTextView::detailsAsked, this, [this, view] { ask(view); });
    connect(view, &TokenTextView::detailsDismissed, this, [this, view] {
        if (asked_ == view || asked_ == nullptr)
            end();
    });
    connect(
        view->verticalScrollBar(), &QScrollBar::valueChanged, this,
        [this] {
            if (asked_ == nullptr)
                card_->hide();
            refresh();
        },
        Qt::QueuedConnection);
}

void TokenHover::show(const TokenTextView* view, std::int64_t token)
{
    const QRect sight = view->viewport()->rect();
    std::vector<QRect> boxes;
    const bool known = token >= 0 && rows_->row() && token < rows_->analysis()->context;
    for (const QRectF& box : known ? view->boxes(token) : std::vector<QRectF>()) {
        const QRect whole = box.adjusted(-2, -2, 2, 2).toAlignedRect();
        if (whole.intersects(sight))
            boxes.emplace_back(view->viewport()->mapTo(page_, whole.topLeft()), whole.size());
    }
    if (boxes.empty() || !view->isVisible())
        return card_->hide();
    card_->tell(factsOf(*rows_, token), boxes);
}

void TokenHover::ask(TokenTextView* view)
{
    if (asked_ == view)
        return end();
    asked_ = view;
    refresh();
    QAccessibleEvent told(card_, QAccessible::Alert);
    QAccessible::updateAccessibility(&told);
}

void TokenHover::refresh()
{
    if (asked_ != nullptr)
        show(asked_, selection_->token());
}

void TokenHover::end()
{
    asked_ = nullptr;
    card_->hide();
}

} // namespace keepset::ui

#include "moc_token_hover.cpp"
