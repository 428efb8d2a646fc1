#include "ui/pictures.h"

#include "ui/exporter.h"
#include "ui/main_window.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/theme.h"
#include "ui/widgets/error_bar.h"

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QPixmap>
#include <QTabWidget>
#include <QTimer>

#include <cstdio>

namespace keepset::ui {

namespace {

    constexpr int patienceMs = 10 * 60 * 1000;

    /// Runs the event loop until `done`, looked at whenever the window is idle.
    template <typename Done> bool waitFor(MainWindow& window, Done done)
    {
        QEventLoop loop;
        QTimer limit;
        limit.setSingleShot(true);
        QObject::connect(&limit, &QTimer::timeout, &loop, [&] { loop.exit(1); });
        const auto look = [&] {
            if (done())
                loop.exit(0);
        };
        QObject::connect(&window, &MainWindow::idle, &loop, look, Qt::QueuedConnection);
        QObject::connect(window.session(), &Session::errorOccurred, &loop, look, Qt::QueuedConnection);
        limit.start(patienceMs);
        return loop.exec() == 0;
    }

    int complain(const QString& sentence)
    {
        std::fprintf(stderr, "keepset: %s\n", qPrintable(sentence));
        return 3;
    }

    void settle()
    {
        for (int i = 0; i < 5; ++i)
            QApplication::processEvents(QEventLoop::AllEvents, 50);
    }

    /// Until what a page draws beside the window is there.
    void settle(const MainWindow& window)
    {
        settle();
        QElapsedTimer patience;
        patience.start();
        while (window.session()->busy() && patience.elapsed() < patienceMs)
            QApplication::processEvents(QEventLoop::WaitForMoreEvents, 50);
        settle();
    }

    /// Every page in the present colours. The name of the first that could not be written, or nothing.
    QString takePages(MainWindow& window, const QDir& folder, const QString& colours)
    {
        for (int page = 0; page < window.tabs()->count(); ++page) {
            window.showPage(page);
            if (QWidget* focused = QApplication::focusWidget())
                focused->clearFocus(); // no picture is of a tab being chosen
            settle(window);
            const QString name = window.tabs()->tabText(page).toLower().remove(QLatin1Char('&'));
            for (const int scale : { 1, 2 }) {
                const QString file
                    = QStringLiteral("%1-%2%3.png").arg(name, colours, scale == 1 ? QString() : QStringLiteral("@2x"));
                if (!pictureOf(&window, scale).save(folder.filePath(file)))
                    return folder.filePath(file);
            }
        }
        return {};
    }

    bool failed(MainWindow& window) { return window.errorBar()->isVisible(); }

} // namespace

QPixmap pictureOf(QWidget* widget, int scale)
{
    QPixmap picture(widget->size() * scale);
    picture.setDevicePixelRatio(scale);
    picture.fill(Qt::transparent);
    widget->render(&picture);
    return picture;
}

int takePictures(QApplication& application, const StartRequest& request, const QString& folder)
{
    const QDir target(folder);
    if (!target.mkpath(QStringLiteral(".")))
        return complain(QStringLiteral("The folder %1 cannot be made.").arg(folder));
    MainWindow window;
    window.resize(1440, 900);
    window.show();
    settle();
    if (request.model.isEmpty() && request.text.isEmpty() && request.files.isEmpty())
        window.openDemo(); // whatever was open the last time
    else
        window.start(request);
    const bool opens = waitFor(window, [&] {
        const bool analysed = window.session()->analysis() != nullptr;
        const bool onlyFiles = request.model.isEmpty() && request.text.isEmpty() && !request.files.isEmpty();
        return failed(window) || (!window.session()->busy() && (analysed || onlyFiles));
    });
    if (!opens || failed(window))
        return complain(opens ? window.errorBar()->text() : QStringLiteral("The analysis took too long."));
    if (const auto analysis = window.session()->analysis())
        window.selection()->setToken(std::min<std::int64_t>(analysis->context - 1, 46));
    if (!window.session()->run() && window.startSweep() && !waitFor(window, [&] { return !window.session()->busy(); }))
        return complain(QStringLiteral("The sweep took too long."));
    for (const bool dark : { false, true }) {
        setAppearance(application, dark ? Appearance::dark : Appearance::light);
        settle();
        const QString missing = takePages(window, target, dark ? QStringLiteral("dark") : QStringLiteral("light"));
        if (!missing.isEmpty())
            return complain(QStringLiteral("%1 cannot be written.").arg(missing));
    }
    setAppearance(application, Appearance::light);
    settle();
    window.exporter()->writeAll(target.absolutePath(), QStringLiteral("svg"));
    if (failed(window))
        return complain(window.errorBar()->text());
    return 0;
}

} // namespace keepset::ui
