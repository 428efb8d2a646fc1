#pragma once

#include <QObject>

#include <array>
#include <cstdint>

namespace keepset::ui {

class RowState;
class SelectionState;
class TokenCard;
class TokenTextView;

/// Shows a card about the token under the pointer in any of some views, and, where the user asks for it by key, about
/// the chosen token, until it is asked for again or the view loses the focus.
class TokenHover : public QObject {
    Q_OBJECT

public:
    /// `page`: the widget that the views lie on, and over which the card may stand.
    TokenHover(SelectionState* selection, RowState* rows, QWidget* page);

    void attach(TokenTextView* view);

private:
    void show(const TokenTextView* view, std::int64_t token);
    void ask(TokenTextView* view);
    /// About the chosen token again, where it was asked for.
    void refresh();
    void end();

    SelectionState* selection_;
    RowState* rows_;
    QWidget* page_;
    TokenCard* card_;
    TokenTextView* asked_ = nullptr; ///< the view in which the card was asked for by key
};

} // namespace keepset::ui
