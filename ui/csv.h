#pragma once

#include <QString>

/// Fields of tables as RFC 4180 has them. Pure functions.
namespace keepset::ui {

/// In quotes where it needs them.
QString csvField(const QString& text);
/// As few digits as say the value to the last bit; empty where it is no number.
QString csvNumber(double value);
QString csvNumber(float value);

} // namespace keepset::ui
