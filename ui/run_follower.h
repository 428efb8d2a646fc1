#pragma once

#include <QFileSystemWatcher>
#include <QObject>
#include <QTimer>

namespace keepset::ui {

class Session;

/// Reads a run again whenever its file changes or its writer comes or goes: told by the system, and looked at once a
/// second, because not every file system tells.
class RunFollower : public QObject {
    Q_OBJECT

public:
    explicit RunFollower(Session* session, QObject* parent = nullptr);

    /// The file need not be there yet.
    void follow(const QString& path);
    void stop();
    QString path() const { return path_; } ///< empty: none is followed

private:
    void look();

    Session* session_;
    QFileSystemWatcher watcher_;
    QTimer timer_;
    QString path_;
    QString state_; ///< of the file when it was read last
};

} // namespace keepset::ui
