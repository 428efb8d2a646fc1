#include "core/engine.h"
#include "core/files.h"
#include "ui/language.h"
#include "ui/main_window.h"
#include "ui/pictures.h"
#include "ui/theme.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QIcon>
#include <QLocale>
#include <QSettings>
#include <QTimer>

#include <clocale>
#include <cstdio>

using namespace keepset::ui;

namespace {

struct Arguments {
    StartRequest start;
    QString pictures;
    int status = -1; ///< ≥ 0: leave with this
};

/// By its name, so that a missing file is named as one, or by its first bytes.
bool is_result(const QString& path)
{
    return keepset::is_hdf5(path.toStdString()) || path.endsWith(QStringLiteral(".h5"), Qt::CaseInsensitive)
        || path.endsWith(QStringLiteral(".hdf5"), Qt::CaseInsensitive)
        || path.endsWith(QStringLiteral(".csv"), Qt::CaseInsensitive);
}

/// A file that names a model: its folder is meant, or what cannot be opened is explained.
bool is_of_model(const QString& path)
{
    const QFileInfo file(path);
    const QString ending = file.suffix().toLower();
    return file.fileName() == QStringLiteral("config.json") || ending == QStringLiteral("safetensors")
        || ending == QStringLiteral("gguf");
}

/// Read before there is an application, so that --help and --version need no display.
Arguments parse(const QStringList& words)
{
    Arguments arguments;
    QCommandLineParser parser;
    parser.setApplicationDescription(
        QStringLiteral("Shows what KV-cache eviction keeps, why, and at what cost. With nothing: the bundled demo."));
    parser.addPositionalArgument(QStringLiteral("MODEL_DIR"), QStringLiteral("Model folder (Hugging Face layout)."),
        QStringLiteral("[MODEL_DIR]"));
    parser.addPositionalArgument(QStringLiteral("FILE"), QStringLiteral("Texts; traces and runs (.h5); tables (.csv)."),
        QStringLiteral("[FILE …]"));
    parser.addOptions({ { QStringLiteral("text"), QStringLiteral("Text to analyse, UTF-8."), QStringLiteral("FILE") },
        { QStringLiteral("pictures"), QStringLiteral("Write pictures of the window into a folder and leave."),
            QStringLiteral("DIR") } });
    const QCommandLineOption help({ QStringLiteral("h"), QStringLiteral("help") }, QStringLiteral("Show this help."));
    const QCommandLineOption version(
        { QStringLiteral("v"), QStringLiteral("version") }, QStringLiteral("Show the version."));
    parser.addOptions({ help, version });
    const bool understood = parser.parse(words);
    if (parser.isSet(help)) {
        // Qt takes the program's name from the application, which is not there yet.
        std::puts(
            qPrintable(parser.helpText().replace(QStringLiteral("<executable_name>"), QStringLiteral("keepset"))));
        arguments.status = 0;
    } else if (parser.isSet(version)) {
        std::printf("keepset %s (%s)\n", keepset::version().c_str(), keepset::commit().c_str());
        arguments.status = 0;
    } else if (!understood) {
        QString error = parser.errorText();
        while (error.endsWith(QLatin1Char('.')))
            error.chop(1);
        std::fprintf(stderr, "keepset: %s.\nkeepset --help lists what there is.\n", qPrintable(error));
        arguments.status = 2;
    }
    arguments.start.text = parser.value(QStringLiteral("text"));
    arguments.pictures = parser.value(QStringLiteral("pictures"));
    for (const QString& path : parser.positionalArguments()) {
        const bool text = !is_result(path) && QFileInfo(path).isFile() && !is_of_model(path);
        if (is_result(path)) {
            arguments.start.files << path;
        } else if (text && arguments.start.text.isEmpty()) {
            arguments.start.text = path;
        } else if (text && arguments.status < 0) {
            std::fprintf(stderr, "keepset: %s is a second text; one can be open at a time.\n", qPrintable(path));
            arguments.status = 2;
        } else if (arguments.start.model.isEmpty()) {
            arguments.start.model = path;
        } else if (arguments.status < 0) {
            std::fprintf(
                stderr, "keepset: %s is a second model folder; one can be open at a time.\n", qPrintable(path));
            arguments.status = 2;
        }
    }
    return arguments;
}

QtMessageHandler saying = nullptr; // Qt's own

/// What Qt has to say of a machine without a screen is no news to whoever takes pictures there.
void say_news(QtMsgType type, const QMessageLogContext& context, const QString& message)
{
    if (!message.startsWith(QStringLiteral("This plugin does not support propagateSizeHints"))
        && !message.startsWith(QStringLiteral("QStandardPaths: XDG_RUNTIME_DIR not set")))
        saying(type, context, message);
}

} // namespace

int main(int argc, char** argv)
{
    QStringList words;
    for (int i = 0; i < argc; ++i)
        words << QString::fromLocal8Bit(argv[i]);
    const Arguments arguments = parse(words);
    if (arguments.status >= 0)
        return arguments.status;
    if (!arguments.pictures.isEmpty() && qEnvironmentVariableIsEmpty("DISPLAY")
        && qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY") && qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    if (!arguments.pictures.isEmpty() && qEnvironmentVariable("QT_QPA_PLATFORM") == QStringLiteral("offscreen"))
        saying = qInstallMessageHandler(say_news);
    QApplication application(argc, argv);
    // Numbers have points in every part of the program and in every file, whatever the user's language. QApplication
    // has just set the C library to that language, and widgets would take 0.5 for 5 where the comma is the decimal
    // sign.
    std::setlocale(LC_NUMERIC, "C"); // NOLINT(concurrency-mt-unsafe): no other thread is there yet
    QLocale::setDefault(QLocale::c());
    QApplication::setOrganizationName(QStringLiteral("keepset"));
    QApplication::setApplicationName(QStringLiteral("keepset"));
    QApplication::setDesktopFileName(QStringLiteral("keepset"));
    const int appearance = QSettings().value(QStringLiteral("appearance"), 0).toInt();
    installTheme(application, static_cast<Appearance>(appearance));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/keepset.svg")));
    if (arguments.pictures.isEmpty()) // pictures are named by their pages
        speak(application, QLocale::system());
    else
        return takePictures(application, arguments.start, arguments.pictures);
    MainWindow window;
    window.show();
    // The window is painted first; model and text come behind it.
    QTimer::singleShot(0, &window, [&] {
        window.start(arguments.start);
        window.startTour();
    });
    return QApplication::exec();
}
