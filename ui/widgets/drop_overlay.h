#pragma once

#include <QWidget>

namespace keepset::ui {

/// Lies over the window while something is dragged over it, and says what may be dropped. Lets all events through.
class DropOverlay : public QWidget {
    Q_OBJECT

public:
    explicit DropOverlay(QWidget* window);
    /// `what`: what is dragged, in a few words; may be empty.
    void cover(const QString& what);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString what_;
};

} // namespace keepset::ui
