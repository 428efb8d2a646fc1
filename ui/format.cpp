#include "ui/format.h"

#include <QLocale>

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset::ui {

namespace {

    const QString dash = QStringLiteral("–");

    QLocale numbers() { return QLocale(QLocale::English, QLocale::UnitedStates); }

    /// On one line in quotes, with signs for what has no place on it.
    QString quoted(QString shown)
    {
        shown.replace(QLatin1String("\r\n"), QString(QChar(0x21B5)));
        shown.replace(QLatin1Char('\n'), QChar(0x21B5));
        shown.replace(QLatin1Char('\t'), QChar(0x21E5));
        for (QChar& c : shown) {
            // Overrides and isolates of direction would turn the words behind them.
            const bool turns
                = (c.unicode() >= 0x202A && c.unicode() <= 0x202E) || (c.unicode() >= 0x2066 && c.unicode() <= 0x2069);
            if (c.category() == QChar::Other_Control || turns)
                c = QChar(0xFFFD);
        }
        return QStringLiteral("“%1”").arg(shown);
    }

} // namespace

QString formatCount(std::int64_t value) { return numbers().toString(static_cast<qlonglong>(value)); }

QString formatPercent(double share, int decimals)
{
    return std::isfinite(share) ? numbers().toString(share * 100, 'f', decimals) + QLatin1Char('%') : dash;
}

QString formatSignificant(double value, int digits)
{
    if (!std::isfinite(value))
        return dash;
    if (value == 0)
        return QStringLiteral("0");
    const double size = std::abs(value);
    if (size < 1e-4 || size >= 1e9)
        return QString::number(value, 'e', std::max(0, digits - 2));
    // The exponent after rounding, so that 9.996 is 10.0 and not 10.00.
    const QString rounded = QString::number(size, 'e', digits - 1);
    const int exponent = rounded.mid(rounded.indexOf(QLatin1Char('e')) + 1).toInt();
    return numbers().toString(value, 'f', std::max(0, digits - 1 - exponent));
}

QString formatDuration(double seconds)
{
    if (!std::isfinite(seconds) || seconds < 0)
        return dash;
    if (seconds < 9.95)
        return QString::number(seconds, 'f', 1) + QStringLiteral(" s");
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60)
        return QStringLiteral("%1 s").arg(whole);
    if (whole < 3600)
        return QStringLiteral("%1 min %2 s").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
    return QStringLiteral("%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60, 2, 10, QLatin1Char('0'));
}

QString formatBytes(std::int64_t bytes)
{
    static constexpr std::array units = { "B", "kB", "MB", "GB", "TB" };
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    const int decimals = unit == 0 || value >= 9.95 ? 0 : 1;
    return QStringLiteral("%1 %2").arg(QString::number(value, 'f', decimals), QLatin1String(units[unit]));
}

QString formatParameters(std::int64_t count)
{
    const auto value = static_cast<double>(count);
    if (value >= 1e9)
        return formatSignificant(value / 1e9) + QStringLiteral(" B");
    if (value >= 1e6)
        return formatSignificant(value / 1e6) + QStringLiteral(" M");
    return formatCount(count);
}

QString formatToken(const QString& text)
{
    const QString shown = text.trimmed();
    return shown.isEmpty() ? formatTokenExactly(text) : quoted(shown);
}

QString formatTokenExactly(const QString& text)
{
    QString shown = text;
    shown.replace(QLatin1Char(' '), QChar(0x2423)); // open box
    return quoted(shown);
}

} // namespace keepset::ui
