#pragma once

#include <QFrame>

class QLabel;
class QPushButton;

namespace keepset::ui {

/// Says over the pages what waits for an answer; stays until it is given or put off.
class NoticeBar : public QFrame {
    Q_OBJECT

public:
    explicit NoticeBar(QWidget* parent = nullptr);
    /// Empty words: there is nothing to answer any more. `answer`: what the button says.
    void setNotice(const QString& words, const QString& answer);

Q_SIGNALS:
    void answered();

private:
    QLabel* label_;
    QPushButton* answer_;
};

} // namespace keepset::ui
