#include "ui/run_follower.h"

#include "core/files.h"
#include "ui/session.h"

#include <QDateTime>
#include <QFileInfo>

namespace keepset::ui {

RunFollower::RunFollower(Session* session, QObject* parent)
    : QObject(parent)
    , session_(session)
{
    timer_.setInterval(1000);
    connect(&timer_, &QTimer::timeout, this, &RunFollower::look);
    connect(&watcher_, &QFileSystemWatcher::fileChanged, this, &RunFollower::look);
}

void RunFollower::follow(const QString& path)
{
    if (path == path_)
        return;
    stop();
    path_ = path;
    timer_.start();
    look();
}

void RunFollower::stop()
{
    timer_.stop();
    if (!watcher_.files().isEmpty())
        watcher_.removePaths(watcher_.files());
    path_.clear();
    state_.clear();
}

void RunFollower::look()
{
    const QFileInfo file(path_);
    if (path_.isEmpty() || !file.exists() || session_->busyWith(Session::Kind::follow))
        return; // a timer comes again
    if (!watcher_.files().contains(path_)) // a file that was replaced is watched no more
        watcher_.addPath(path_);
    const QString state = QStringLiteral("%1 %2 %3")
                              .arg(file.size())
                              .arg(file.lastModified().toMSecsSinceEpoch())
                              .arg(is_being_written(path_.toStdString()) ? 1 : 0);
    if (state == state_)
        return;
    state_ = state;
    session_->followRun(path_);
}

} // namespace keepset::ui
