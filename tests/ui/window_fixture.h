#pragma once

#include "ui/main_window.h"
#include "ui/session.h"

#include <QObject>
#include <QString>
#include <QTemporaryDir>

/// What tests of the whole window share.
namespace fixture {

inline constexpr int patience = 60000; ///< ms

/// A file of the bundled demo.
QString demo(const QString& name);
/// The demo is open and analysed.
void openDemo(keepset::ui::MainWindow& window);
/// Shows the window as large as it usually is.
void show(keepset::ui::MainWindow& window);
/// What was opened is analysed, and nothing more is under way.
void waitForAnalysis(const keepset::ui::MainWindow& window);

/// A test with settings and a folder of its own, which are empty when its first function begins.
class WindowTest : public QObject {
    Q_OBJECT

protected:
    /// A path in the folder.
    QString in(const QString& name) const { return folder_.filePath(name); }
    /// Writes a file into the folder; returns its path.
    QString write(const QString& name, const QByteArray& bytes) const;

protected Q_SLOTS:
    void initTestCase();
    void init();

private:
    QTemporaryDir folder_;
};

} // namespace fixture
