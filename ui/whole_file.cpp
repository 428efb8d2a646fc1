#include "ui/whole_file.h"

#include "core/error.h"
#include "core/files.h"

namespace keepset::ui {

// Not by QSaveFile: what its buffer still holds at the end is written unchecked, and a full disk leaves an empty file.
std::optional<QString> writeWhole(const QByteArray& bytes, const QString& path)
{
    try {
        write_text(path.toStdString(), bytes.toStdString());
        return std::nullopt;
    } catch (const Error& error) {
        return QString::fromStdString(error.sentence());
    }
}

} // namespace keepset::ui
