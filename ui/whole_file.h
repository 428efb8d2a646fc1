#pragma once

#include <QString>

#include <optional>

namespace keepset::ui {

/// Writes a file as a whole or, where that fails, leaves what is there as it was. Returns a sentence about what went
/// wrong, nothing when it is written.
std::optional<QString> writeWhole(const QByteArray& bytes, const QString& path);

} // namespace keepset::ui
