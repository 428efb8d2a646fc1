#pragma once

#include <QString>

class QLabel;
class QToolButton;
class QWidget;

namespace keepset::ui {

/// A label of plain text whose look the style sheet gives by role ("group", "caption", "muted", "strong", …).
QLabel* roleLabel(const QString& text, const char* role, QWidget* parent);
/// A flat button of a heading line.
QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent);

} // namespace keepset::ui
