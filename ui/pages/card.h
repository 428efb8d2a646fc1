#pragma once

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace keepset::ui {

/// Panel of a page: a heading line (title, muted words, room for controls at its end) over its content.
class Card : public QFrame {
    Q_OBJECT

public:
    /// Where the muted words stand: behind the title, or, where they are long and controls many, on a line of their
    /// own.
    enum class Words { behind, below };
    explicit Card(const QString& title, QWidget* parent = nullptr, Words words = Words::behind);

    void setTitle(const QString& title);
    /// Muted words beside the title; cut short where there is no room, whole in the tool tip.
    void setSubtitle(const QString& words);
    /// Adds a control at the end of the heading line.
    void addControl(QWidget* control);
    QVBoxLayout* content() const { return content_; }

private:
    QLabel* title_;
    QLabel* subtitle_;
    QHBoxLayout* heading_;
    QVBoxLayout* content_;
};

/// A label whose look the style sheet gives by role ("caption", "muted", "strong").
QLabel* roleLabel(const QString& text, const char* role, QWidget* parent);
/// A flat button of a heading line.
QToolButton* flatButton(const QString& text, const QString& what, QWidget* parent);

} // namespace keepset::ui
