#include "ui/sweep_files.h"

#include "core/error.h"
#include "core/files.h"

#include <QCryptographicHash>
#include <QDate>
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSettings>
#include <QStandardPaths>
#include <QUuid>

namespace keepset::ui {

namespace {

    constexpr const char* folderKey = "runsFolder";

    /// As a part of a file's name.
    QString plain(const QString& name)
    {
        static const QRegularExpression other(QStringLiteral("[^A-Za-z0-9._]+"));
        constexpr int most = 40; // letters
        QString text = QFileInfo(name).completeBaseName().replace(other, QStringLiteral("-")).left(most);
        while (text.startsWith(QLatin1Char('-')) || text.startsWith(QLatin1Char('.')))
            text.remove(0, 1);
        return text.isEmpty() ? QStringLiteral("unnamed") : text;
    }

} // namespace

QString runsFolder()
{
    const QString own = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/runs");
    const QString folder = QSettings().value(QLatin1String(folderKey), own).toString();
    QDir().mkpath(folder);
    return folder;
}

void setRunsFolder(const QString& folder) { QSettings().setValue(QLatin1String(folderKey), folder); }

QString newRunFile(const QString& model, const QString& text)
{
    const QDir folder(runsFolder());
    for (;;) {
        const QString digits = QUuid::createUuid().toString(QUuid::Id128).left(6);
        const QString name = QStringLiteral("%1-%2-%3-%4.h5")
                                 .arg(QDate::currentDate().toString(Qt::ISODate), plain(model), plain(text), digits);
        if (!folder.exists(name))
            return folder.filePath(name);
    }
}

std::optional<QString> keepText(const Text& text)
{
    const QDir folder(runsFolder() + QStringLiteral("/texts"));
    if (!folder.mkpath(QStringLiteral(".")))
        return std::nullopt;
    const QByteArray bytes = QByteArray::fromRawData(text.bytes.data(), static_cast<qsizetype>(text.bytes.size()));
    const QString digits = QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
    const QString path
        = folder.filePath(QStringLiteral("%1-%2.txt").arg(plain(QString::fromStdString(text.name)), digits.left(12)));
    try {
        if (!QFile::exists(path))
            write_text(path.toStdString(), text.bytes);
    } catch (const Error&) { // the command then names the text only
        return std::nullopt;
    }
    return path;
}

std::optional<QString> throwAway(const QString& path)
{
    QString basket;
    if (QFile::moveToTrash(path, &basket))
        return basket;
    // Not every machine has a wastebasket, and not for every disk.
    const QDir own(QFileInfo(path).absolutePath() + QStringLiteral("/deleted"));
    const QString kept = own.filePath(QFileInfo(path).fileName());
    if (!own.mkpath(QStringLiteral(".")) || !QFile::rename(path, kept))
        return std::nullopt;
    return kept;
}

bool bringBack(const QString& fromBasket, const QString& path)
{
    if (!QFile::rename(fromBasket, path))
        return false;
    // The note of where it came from, which the basket keeps beside it (Trash specification of freedesktop.org).
    const QFileInfo lay(fromBasket);
    if (lay.dir().dirName() == QStringLiteral("files"))
        QFile::remove(lay.dir().filePath(QStringLiteral("../info/%1.trashinfo").arg(lay.fileName())));
    return true;
}

} // namespace keepset::ui
