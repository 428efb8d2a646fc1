#pragma once

namespace keepset::ui {

class TokenTextView;

/// Makes token views known to screen readers as read-only text: its words, where the chosen token is, and the label of
/// the token at any place.
void letScreenReadersIn();
/// The chosen token of a view is another.
void tellScreenReader(TokenTextView* view);

} // namespace keepset::ui
