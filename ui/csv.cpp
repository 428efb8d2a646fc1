#include "ui/csv.h"

#include <QLatin1String>

#include <array>
#include <charconv>
#include <cmath>

namespace keepset::ui {

namespace {

    template <typename Number> QString shortest(Number value)
    {
        if (!std::isfinite(value))
            return {};
        std::array<char, 32> digits {};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return QString::fromLatin1(digits.data(), end - digits.data());
    }

} // namespace

QString csvField(const QString& text)
{
    const auto needs = [](QChar c) { return c == u',' || c == u'"' || c == u'\n' || c == u'\r'; };
    if (std::none_of(text.begin(), text.end(), needs))
        return text;
    QString quoted = text;
    quoted.replace(QLatin1String("\""), QLatin1String("\"\""));
    return QLatin1Char('"') + quoted + QLatin1Char('"');
}

QString csvNumber(double value) { return shortest(value); }
QString csvNumber(float value) { return shortest(value); }

QString csvWithColumns(const QString& csv, const QStringList& names, const QStringList& values, bool everyRow)
{
    const auto joined = [](const QStringList& fields) {
        QString row;
        for (const QString& field : fields)
            row += QLatin1Char(',') + csvField(field);
        return row;
    };
    const QString filled = joined(values);
    const QString empty(names.size(), QLatin1Char(','));
    QString wide;
    wide.reserve(csv.size() + csv.size() / 8);
    bool quoted = false; // a line break in quotes ends no row
    qsizetype row = 0;
    for (const QChar c : csv) {
        quoted = quoted != (c == u'"');
        if (c == u'\r' && !quoted) {
            wide += row == 0 ? joined(names) : everyRow || row == 1 ? filled : empty;
            ++row;
        }
        wide += c;
    }
    return wide;
}

} // namespace keepset::ui
