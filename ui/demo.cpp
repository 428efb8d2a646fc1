#include "ui/demo.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace keepset::ui {

std::optional<QString> demoFolder()
{
    QDir folder(QCoreApplication::applicationDirPath());
    for (int level = 0; level < 6; ++level) {
        for (const char* place : { "share/keepset/demo", "share/keepset/resources/demo", "resources/demo", "demo" }) {
            const QString candidate = folder.filePath(QLatin1String(place));
            if (QFileInfo::exists(candidate + QStringLiteral("/model/config.json")))
                return QDir(candidate).absolutePath();
        }
        if (!folder.cdUp())
            break;
    }
    return std::nullopt;
}

} // namespace keepset::ui
