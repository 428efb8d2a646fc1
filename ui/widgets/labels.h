#pragma once

#include <QString>

class QLabel;
class QToolButton;
class QWidget;

namespace keepset::ui {

/// A label of plain text whose look the style sheet gives by role ("group", "caption", "muted", "strong", …).
QLabel* roleLabel(const QString& text, const char* role, QWidget* parent);
/// Names a control for screen readers that has no caption of its own on the screen. A combo box needs a label for it:
/// what it says of itself is the entry that is chosen.
void nameFor(QWidget* control, const QString& name);
/// Puts what takes the focus inside a widget behind `before` in the order of Tab, as it was made: of itself what is
/// made later comes last in its window.
void tabAfter(QWidget* before, const QWidget& inside);
/// A flat button of a heading line.
QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent);

} // namespace keepset::ui
