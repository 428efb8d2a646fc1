#include "tests/ui/window_fixture.h"

#include "ui/sweep_files.h"
#include "ui/theme.h"

#include <QApplication>
#include <QFile>
#include <QSettings>
#include <QStandardPaths>
#include <QTest>

using keepset::ui::MainWindow;

namespace fixture {

QString demo(const QString& name) { return QStringLiteral(KEEPSET_SOURCE_DIR "/resources/demo/") + name; }

void openDemo(MainWindow& window)
{
    show(window);
    window.openDemo();
    waitForAnalysis(window);
}

void show(MainWindow& window)
{
    window.resize(1440, 900);
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
}

void waitForAnalysis(const MainWindow& window)
{
    QTRY_VERIFY_WITH_TIMEOUT(window.session()->analysis() != nullptr, patience);
    QTRY_VERIFY_WITH_TIMEOUT(!window.session()->busy(), patience);
}

QString WindowTest::write(const QString& name, const QByteArray& bytes) const
{
    QFile file(in(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", qPrintable(name));
    return file.fileName();
}

void WindowTest::initTestCase()
{
    QStandardPaths::setTestModeEnabled(true);
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, folder_.path());
    QCoreApplication::setOrganizationName(QStringLiteral("keepset-test"));
    QCoreApplication::setApplicationName(QLatin1String(metaObject()->className()));
    keepset::ui::installTheme(*qApp, keepset::ui::Appearance::light);
}

void WindowTest::init()
{
    QSettings().clear();
    keepset::ui::setRunsFolder(in(QStringLiteral("runs")));
}

} // namespace fixture

#include "moc_window_fixture.cpp"
