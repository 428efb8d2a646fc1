#pragma once

#include "tests/ui/window_fixture.h"

#include <QProcess>
#include <QString>
#include <QTimer>

#include <memory>

class QTreeWidgetItem;

/// What tests of sweeps do with a window, as a user would.
namespace fixture {

QString cli();
/// The demo sweeps a long text and has a window done at least.
void startSweep(keepset::ui::MainWindow& window);
void stop(keepset::ui::MainWindow& window);
void click(keepset::ui::MainWindow& window, const QString& button);
/// Drops a path on the window; with bytes, a file of that content.
void drop(keepset::ui::MainWindow& window, const QString& path, const QByteArray& bytes = {});
/// Answers every question by the button that the property "button" names, and counts them.
std::unique_ptr<QTimer> answer(int& asked, const QString& button);
/// A line of the list of runs; null: there is none.
QTreeWidgetItem* lineOf(keepset::ui::MainWindow& window, const QString& path);
void choose(keepset::ui::MainWindow& window, const QString& path);
/// keepset-cli sweeps many windows of the demo into a file.
void startCli(QProcess& process, const QString& out);

} // namespace fixture
