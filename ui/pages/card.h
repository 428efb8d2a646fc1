#pragma once

#include "ui/widgets/labels.h"

#include <QFrame>

class QHBoxLayout;
class QToolButton;
class QVBoxLayout;

namespace keepset::ui {

class ElidedLabel;
class FlowLayout;

/// Panel of a page: a heading line (title, muted words, room for controls at its end) over its content. Where the line
/// is too short for all controls, the rest go on below it.
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
    /// Adds what tells of a state before the muted words of a card that has them below.
    void addState(QWidget* state);
    /// Adds a control at the end of the heading line.
    void addControl(QWidget* control);
    /// Adds "Export …", whose tool tip is `what`, and "Copy", which copies the picture, at its end.
    struct ExportButtons {
        QToolButton* save;
        QToolButton* copy;
    };
    ExportButtons addExport(const QString& what);
    /// A card of the same width whose content begins on one line with this one's.
    void setTwin(Card* twin);
    QVBoxLayout* content() const { return content_; }

protected:
    bool event(QEvent* event) override;

private:
    ElidedLabel* title_;
    ElidedLabel* subtitle_;
    FlowLayout* heading_;
    QHBoxLayout* below_ = nullptr; ///< the line of the muted words, where they stand below
    QVBoxLayout* content_;
    Card* twin_ = nullptr;
};

} // namespace keepset::ui
