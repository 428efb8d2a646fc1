#pragma once

#include <QFrame>

class QLabel;

namespace keepset::ui {

/// One line over the pages that says what went wrong and what to do; stays until it is dismissed or the next one comes.
class ErrorBar : public QFrame {
    Q_OBJECT

public:
    explicit ErrorBar(QWidget* parent = nullptr);
    void show(const QString& sentence, const QString& hint);
    QString text() const;

private:
    QLabel* label_;
};

} // namespace keepset::ui
