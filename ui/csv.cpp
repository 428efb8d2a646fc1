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

} // namespace keepset::ui
