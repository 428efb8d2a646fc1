#pragma once

#include <QString>

#include <cstdint>

/// Numbers as people read them. Pure functions; a number that is not one is shown as an en dash.
namespace keepset::ui {

/// 1234567 → "1,234,567".
QString formatCount(std::int64_t value);
/// Share → "61.8%" with one decimal.
QString formatPercent(double share, int decimals = 1);
/// Three significant digits, thousands separated: 0.486, 7.31, 1,024, 1.2e-05 below 0.0001.
QString formatSignificant(double value, int digits = 3);
/// Seconds → "0.4 s", "12 s", "3 min 05 s", "2 h 10 min".
QString formatDuration(double seconds);
/// Decimal units as disks have them: "269 MB", "1.3 GB".
QString formatBytes(std::int64_t bytes);
/// 134515008 → "135 M", 1236000000 → "1.24 B".
QString formatParameters(std::int64_t count);
/// Token text on one line in quotes: line breaks and tabs as signs, outer spaces left out where letters remain.
QString formatToken(const QString& text);
/// The same with every space as a sign, the outer ones too.
QString formatTokenExactly(const QString& text);

} // namespace keepset::ui
