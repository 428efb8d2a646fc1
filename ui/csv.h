#pragma once

#include <QString>
#include <QStringList>

/// Fields of tables as RFC 4180 has them. Pure functions.
namespace keepset::ui {

/// In quotes where it needs them.
QString csvField(const QString& text);
/// As few digits as say the value to the last bit; empty where it is no number.
QString csvNumber(double value);
QString csvNumber(float value);

/// A table (RFC 4180, CR LF) with further columns at its end: their names in the header, their values in every row or
/// in the first alone.
QString csvWithColumns(const QString& csv, const QStringList& names, const QStringList& values, bool everyRow);

} // namespace keepset::ui
