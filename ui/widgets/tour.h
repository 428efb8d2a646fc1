#pragma once

#include <QFrame>
#include <QPointer>

#include <vector>

class QLabel;
class QPushButton;

namespace keepset::ui {

/// Three cards beside the parts of the window that they explain; Enter or a click goes on, Esc or "Don't show again"
/// ends it for ever.
class Tour : public QFrame {
    Q_OBJECT

public:
    struct Step {
        QPointer<QWidget> target;
        QString title;
        QString text;
    };
    Tour(std::vector<Step> steps, QWidget* window);
    void start();

Q_SIGNALS:
    /// `forEver`: the user has seen it or does not want to.
    void finished(bool forEver);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void showStep(std::size_t index);
    /// Narrower, with smaller words, in a narrow window: it must not cover what it explains.
    void fit();
    void place();
    void end();

    std::vector<Step> steps_;
    std::size_t index_ = 0;
    QLabel* title_;
    QLabel* text_;
    QPushButton* next_;
};

} // namespace keepset::ui
