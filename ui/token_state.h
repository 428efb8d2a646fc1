#pragma once

#include "core/selection.h"
#include "ui/theme.h"

#include <QColor>
#include <QString>

#include <variant>
#include <vector>

namespace keepset::ui {

/// What is said of a token: its label under one policy, or which of two policies keep it.
using TokenState = std::variant<Label, Membership>;

/// How a state is drawn.
struct TokenStyle {
    QColor fill; ///< behind the text; not valid: none
    QColor line; ///< of the underline
    Underline underline = Underline::none; ///< the second cue
    QColor ink; ///< of the text
};

TokenStyle styleOf(const Theme& theme, TokenState state);
/// Name of a label for people.
QString labelTitle(Label label);
/// The same of any state; a and b are the titles of the two policies.
QString stateTitle(TokenState state, const QString& a = {}, const QString& b = {});

} // namespace keepset::ui
