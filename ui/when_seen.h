#pragma once

#include <QObject>

#include <functional>

class QTimer;
class QWidget;

namespace keepset::ui {

/// Work that a view does for what changed: at once while it is seen. Behind other pages it waits until the view is
/// shown, or until the changes have come to rest, so that what is exported of it then is right.
class WhenSeen : public QObject {
    Q_OBJECT

public:
    WhenSeen(QWidget* view, std::function<void()> work);
    /// Something changed.
    void call();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void work();

    QWidget* view_;
    std::function<void()> work_;
    QTimer* rest_;
};

} // namespace keepset::ui
