#pragma once

#include <QFrame>

class QLabel;

namespace keepset::ui {

/// Says over the pages what went wrong and what to do; stays until it is dismissed. Several that come before that stand
/// below one another.
class ErrorBar : public QFrame {
    Q_OBJECT

public:
    explicit ErrorBar(QWidget* parent = nullptr);
    void show(const QString& sentence, const QString& hint);
    QString text() const;

Q_SIGNALS:
    void shown(const QString& sentence, const QString& hint);

protected:
    void hideEvent(QHideEvent* event) override;

private:
    QLabel* label_;
    QStringList shown_; ///< as rich text, the newest last
};

} // namespace keepset::ui
