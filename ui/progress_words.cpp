#include "ui/progress_words.h"

#include "ui/format.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>

#include <array>
#include <cmath>

namespace keepset::ui {

namespace {

    /// For lupdate, which reads no core.
    [[maybe_unused]] constexpr std::array wordsOfCore {
        QT_TRANSLATE_NOOP("keepset::Progress", "reading weights"),
        QT_TRANSLATE_NOOP("keepset::Progress", "hashing the weights"),
        QT_TRANSLATE_NOOP("keepset::Progress", "attention pass"),
        QT_TRANSLATE_NOOP("keepset::Progress", "attention map"),
        QT_TRANSLATE_NOOP("keepset::Progress", "who reads a token"),
        QT_TRANSLATE_NOOP("keepset::Progress", "finding bridges"),
        QT_TRANSLATE_NOOP("keepset::Progress", "attention of the last queries"),
        QT_TRANSLATE_NOOP("keepset::Progress", "selecting"),
        QT_TRANSLATE_NOOP("keepset::Progress", "bytes"),
        QT_TRANSLATE_NOOP("keepset::Progress", "layers"),
        QT_TRANSLATE_NOOP("keepset::Progress", "rows"),
        QT_TRANSLATE_NOOP("keepset::Progress", "keep sets"),
        QT_TRANSLATE_NOOP("keepset::Progress", "points"),
    };

    QString words(const std::string& text) { return QCoreApplication::translate("keepset::Progress", text.c_str()); }

    QString stageWords(const std::string& stage)
    {
        static const QRegularExpression window(QStringLiteral("^window (\\d+) of (\\d+)$"));
        const auto parts = window.match(QString::fromStdString(stage));
        return parts.hasMatch() ? QCoreApplication::translate("keepset::Progress", "window %1 of %2")
                                      .arg(parts.captured(1), parts.captured(2))
                                : words(stage);
    }

} // namespace

QString progressWords(const Progress& progress)
{
    const auto text = [](const char* words) { return QCoreApplication::translate("keepset::Progress", words); };
    const QString unit = words(progress.unit);
    QStringList parts { stageWords(progress.stage) };
    if (progress.total > 0)
        parts << text(QT_TRANSLATE_NOOP("keepset::Progress", "%1 of %2 %3"))
                     .arg(formatCount(progress.done), formatCount(progress.total), unit);
    if (progress.elapsed_s > 0.5 && progress.done > 0)
        parts << text(QT_TRANSLATE_NOOP("keepset::Progress", "%1 %2/s"))
                     .arg(formatSignificant(
                              (static_cast<double>(progress.done) + progress.part) / progress.elapsed_s, 2),
                         unit);
    if (std::isfinite(progress.left_s))
        parts << text(QT_TRANSLATE_NOOP("keepset::Progress", "%1 left")).arg(formatDuration(progress.left_s));
    return parts.join(QStringLiteral(" · "));
}

} // namespace keepset::ui
