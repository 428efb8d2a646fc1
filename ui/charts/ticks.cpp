#include "ui/charts/ticks.h"

#include <QLocale>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace keepset::ui::charts {

namespace {

    constexpr double tiny = 1e-9;

    bool inside(double value, AxisRange range)
    {
        const double slack = tiny * std::max(std::abs(range.low), std::abs(range.high));
        return value >= range.low - slack && value <= range.high + slack;
    }

    double niceStep(double length, int wanted)
    {
        const double rough = length / std::max(1, wanted);
        const double power = std::pow(10.0, std::floor(std::log10(rough)));
        for (const double step : { 1.0, 2.0, 2.5, 5.0 }) {
            if (step * power >= rough * (1 - tiny))
                return step * power;
        }
        return 10 * power;
    }

    /// Every factor of every power of ten that lies inside the range.
    std::vector<double> decadeTicks(AxisRange range, const std::vector<double>& factors)
    {
        std::vector<double> ticks;
        const int first = static_cast<int>(std::floor(std::log10(range.low)));
        const int last = static_cast<int>(std::ceil(std::log10(range.high)));
        for (int power = first; power <= last; ++power) {
            for (const double factor : factors) {
                const double value = factor * std::pow(10.0, power);
                if (inside(value, range))
                    ticks.push_back(value);
            }
        }
        return ticks;
    }

    std::vector<double> thinned(const std::vector<double>& ticks, std::size_t step)
    {
        std::vector<double> kept;
        for (std::size_t i = 0; i < ticks.size(); i += step)
            kept.push_back(ticks[i]);
        return kept;
    }

    /// Digits behind the point that tell every value of the list from its neighbours.
    int decimalsFor(const std::vector<double>& values)
    {
        for (int decimals = 0; decimals < 10; ++decimals) {
            const double unit = std::pow(10.0, decimals);
            const bool exact = std::all_of(values.begin(), values.end(), [unit](double value) {
                return std::abs(value * unit - std::round(value * unit)) < 1e-6 * std::max(1.0, std::abs(value * unit));
            });
            if (exact)
                return decimals;
        }
        return 10;
    }

    QString numberText(double value, int decimals)
    {
        if (value != 0 && (std::abs(value) >= 1e7 || std::abs(value) < 1e-4))
            return QString::number(value, 'g', 3);
        return QLocale(QLocale::English).toString(value, 'f', decimals);
    }

} // namespace

std::vector<double> linearTicks(AxisRange range, int wanted)
{
    std::vector<double> ticks;
    const double length = range.high - range.low;
    if (!(length > 0) || !std::isfinite(length))
        return ticks;
    double step = niceStep(length, wanted);
    const auto firstOf = [&] { return std::ceil(range.low / step - 1e-6); };
    const auto lastOf = [&] { return std::floor(range.high / step + 1e-6); };
    // One or two ticks tell no scale.
    for (int more = wanted + 1; more <= wanted + 3 && lastOf() - firstOf() < 2; ++more)
        step = niceStep(length, more);
    const double first = firstOf();
    const double last = lastOf();
    for (double i = first; i <= last && ticks.size() < 1000; i += 1)
        ticks.push_back(i == 0 ? 0 : i * step); // no "-0"
    return ticks;
}

std::vector<double> logTicks(AxisRange range, int wanted)
{
    if (!(range.low > 0) || !(range.high > range.low) || !std::isfinite(range.high))
        return {};
    const std::size_t few = static_cast<std::size_t>(std::max(3, wanted / 2));
    const std::size_t many = static_cast<std::size_t>(std::max(3, wanted));
    const std::vector<double> decades = decadeTicks(range, { 1 });
    if (decades.size() >= few)
        return decades.size() <= many ? decades : thinned(decades, (decades.size() + many - 1) / many);
    const std::vector<std::vector<double>> ladders { { 1, 2, 5 }, { 1, 1.5, 2, 3, 4, 5, 7 },
        { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 }, { 1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9 } };
    for (const std::vector<double>& ladder : ladders) {
        std::vector<double> ticks = decadeTicks(range, ladder);
        if (ticks.size() + 2 >= many && ticks.size() >= 3)
            return ticks;
    }
    return linearTicks(range, wanted); // less than about an octave: as good as linear
}

std::vector<QString> tickLabels(const std::vector<double>& ticks, NumberFormat format)
{
    std::vector<double> values = ticks;
    if (format == NumberFormat::percent)
        std::transform(values.begin(), values.end(), values.begin(), [](double value) { return 100 * value; });
    const bool spread = !values.empty() && values.front() > 0 && values.back() / values.front() >= 100;
    const int shared = decimalsFor(values);
    std::vector<QString> labels;
    labels.reserve(values.size());
    for (const double value : values) {
        QString text = numberText(value, spread ? decimalsFor({ value }) : shared);
        if (format == NumberFormat::percent)
            text += QLatin1Char('%');
        if (format == NumberFormat::signedPlain && value > 0)
            text.prepend(QLatin1Char('+'));
        text.replace(QLatin1Char('-'), QChar(0x2212)); // a minus as wide as the plus
        labels.push_back(text);
    }
    return labels;
}

QString valueText(double value, NumberFormat format)
{
    if (!std::isfinite(value))
        return QStringLiteral("–");
    if (format == NumberFormat::percent)
        return QString::number(std::round(value * 1e4) / 100) + QLatin1Char('%');
    const double size = std::abs(value);
    const bool plain = format == NumberFormat::plain;
    const int decimals = !plain || size < 0.1 ? 4 : (size < 10 ? 3 : (size < 100 ? 2 : (size < 1000 ? 1 : 0)));
    QString text = size != 0 && (size >= 1e7 || size < 1e-4) ? QString::number(value, 'g', 4)
                                                             : QLocale(QLocale::English).toString(value, 'f', decimals);
    if (format == NumberFormat::signedPlain && value > 0)
        text.prepend(QLatin1Char('+'));
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

AxisRange padded(AxisRange range, double share)
{
    return { range.low - share * range.length(), range.high + share * range.length() };
}

AxisRange zoomed(AxisRange range, double factor, double around)
{
    return { around - (around - range.low) * factor, around + (range.high - around) * factor };
}

AxisRange rangeOf(const std::vector<double>& values)
{
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const double value : values) {
        if (std::isfinite(value)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    if (low > high)
        return { 0, 1 };
    if (high - low > 1e-6 * std::max(std::abs(low), 1e-300))
        return { low, high };
    const double room = low == 0 ? 1 : 0.1 * std::abs(low);
    return { low - room, high + room };
}

std::vector<double> spreadLabels(const std::vector<double>& wanted, double height, double top, double bottom)
{
    // Labels that touch are joined to a block that stands at the mean of its wishes; blocks that then touch are joined
    // too.
    struct Block {
        double sum = 0; ///< of the wanted centres, each less its place in the block
        double count = 0;
    };
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t { 0 });
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
    const auto start = [&](const Block& block) {
        const double lowest = bottom - height * (block.count - 0.5);
        return std::max(top + height / 2, std::min(block.sum / block.count, lowest));
    };
    std::vector<Block> blocks;
    for (const std::size_t i : order) {
        blocks.push_back({ wanted[i], 1 });
        while (blocks.size() > 1) {
            const Block last = blocks.back();
            Block& before = blocks[blocks.size() - 2];
            if (start(before) + height * before.count <= start(last))
                break;
            before.sum += last.sum - last.count * before.count * height;
            before.count += last.count;
            blocks.pop_back();
        }
    }
    std::vector<double> centres(wanted.size());
    std::size_t next = 0;
    for (const Block& block : blocks) {
        for (int i = 0; i < static_cast<int>(block.count); ++i)
            centres[order[next++]] = start(block) + height * i;
    }
    return centres;
}

} // namespace keepset::ui::charts
