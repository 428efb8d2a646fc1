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
/// A flat button of a heading line.
QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent);

} // namespace keepset::ui
