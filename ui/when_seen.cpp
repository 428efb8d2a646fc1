#include "ui/when_seen.h"

#include <QEvent>
#include <QTimer>
#include <QWidget>

#include <utility>

namespace keepset::ui {

WhenSeen::WhenSeen(QWidget* view, std::function<void()> work)
    : QObject(view)
    , view_(view)
    , work_(std::move(work))
    , rest_(new QTimer(this))
{
    constexpr int rest = 50; // ms
    rest_->setSingleShot(true);
    rest_->setInterval(rest);
    connect(rest_, &QTimer::timeout, this, &WhenSeen::work);
    view_->installEventFilter(this);
}

void WhenSeen::call() { view_->isVisible() ? work() : rest_->start(); }

void WhenSeen::work()
{
    rest_->stop();
    work_();
}

bool WhenSeen::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Show && rest_->isActive())
        work();
    return QObject::eventFilter(watched, event);
}

} // namespace keepset::ui

#include "moc_when_seen.cpp"
