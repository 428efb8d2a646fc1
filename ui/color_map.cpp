#include "ui/color_map.h"

#include "ui/charts/ticks.h"

#include <algorithm>
#include <cmath>

namespace keepset::ui {

namespace {

    // The 256 colours of viridis by S. van der Walt and N. Smith as matplotlib 3.9.2 lists them (_cm_listed.py),
    // rounded to 8 bits. The table is dedicated to the public domain (CC0).
    // clang-format off
    constexpr std::array<QRgb, 256> viridisTable {
        0x440154, 0x440256, 0x450457, 0x450559, 0x46075a, 0x46085c, 0x460a5d, 0x460b5e, 0x470d60, 0x470e61,
        0x471063, 0x471164, 0x471365, 0x481467, 0x481668, 0x481769, 0x48186a, 0x481a6c, 0x481b6d, 0x481c6e,
        0x481d6f, 0x481f70, 0x482071, 0x482173, 0x482374, 0x482475, 0x482576, 0x482677, 0x482878, 0x482979,
        0x472a7a, 0x472c7a, 0x472d7b, 0x472e7c, 0x472f7d, 0x46307e, 0x46327e, 0x46337f, 0x463480, 0x453581,
        0x453781, 0x453882, 0x443983, 0x443a83, 0x443b84, 0x433d84, 0x433e85, 0x423f85, 0x424086, 0x424186,
        0x414287, 0x414487, 0x404588, 0x404688, 0x3f4788, 0x3f4889, 0x3e4989, 0x3e4a89, 0x3e4c8a, 0x3d4d8a,
        0x3d4e8a, 0x3c4f8a, 0x3c508b, 0x3b518b, 0x3b528b, 0x3a538b, 0x3a548c, 0x39558c, 0x39568c, 0x38588c,
        0x38598c, 0x375a8c, 0x375b8d, 0x365c8d, 0x365d8d, 0x355e8d, 0x355f8d, 0x34608d, 0x34618d, 0x33628d,
        0x33638d, 0x32648e, 0x32658e, 0x31668e, 0x31678e, 0x31688e, 0x30698e, 0x306a8e, 0x2f6b8e, 0x2f6c8e,
        0x2e6d8e, 0x2e6e8e, 0x2e6f8e, 0x2d708e, 0x2d718e, 0x2c718e, 0x2c728e, 0x2c738e, 0x2b748e, 0x2b758e,
        0x2a768e, 0x2a778e, 0x2a788e, 0x29798e, 0x297a8e, 0x297b8e, 0x287c8e, 0x287d8e, 0x277e8e, 0x277f8e,
        0x27808e, 0x26818e, 0x26828e, 0x26828e, 0x25838e, 0x25848e, 0x25858e, 0x24868e, 0x24878e, 0x23888e,
        0x23898e, 0x238a8d, 0x228b8d, 0x228c8d, 0x228d8d, 0x218e8d, 0x218f8d, 0x21908d, 0x21918c, 0x20928c,
        0x20928c, 0x20938c, 0x1f948c, 0x1f958b, 0x1f968b, 0x1f978b, 0x1f988b, 0x1f998a, 0x1f9a8a, 0x1e9b8a,
        0x1e9c89, 0x1e9d89, 0x1f9e89, 0x1f9f88, 0x1fa088, 0x1fa188, 0x1fa187, 0x1fa287, 0x20a386, 0x20a486,
        0x21a585, 0x21a685, 0x22a785, 0x22a884, 0x23a983, 0x24aa83, 0x25ab82, 0x25ac82, 0x26ad81, 0x27ad81,
        0x28ae80, 0x29af7f, 0x2ab07f, 0x2cb17e, 0x2db27d, 0x2eb37c, 0x2fb47c, 0x31b57b, 0x32b67a, 0x34b679,
        0x35b779, 0x37b878, 0x38b977, 0x3aba76, 0x3bbb75, 0x3dbc74, 0x3fbc73, 0x40bd72, 0x42be71, 0x44bf70,
        0x46c06f, 0x48c16e, 0x4ac16d, 0x4cc26c, 0x4ec36b, 0x50c46a, 0x52c569, 0x54c568, 0x56c667, 0x58c765,
        0x5ac864, 0x5cc863, 0x5ec962, 0x60ca60, 0x63cb5f, 0x65cb5e, 0x67cc5c, 0x69cd5b, 0x6ccd5a, 0x6ece58,
        0x70cf57, 0x73d056, 0x75d054, 0x77d153, 0x7ad151, 0x7cd250, 0x7fd34e, 0x81d34d, 0x84d44b, 0x86d549,
        0x89d548, 0x8bd646, 0x8ed645, 0x90d743, 0x93d741, 0x95d840, 0x98d83e, 0x9bd93c, 0x9dd93b, 0xa0da39,
        0xa2da37, 0xa5db36, 0xa8db34, 0xaadc32, 0xaddc30, 0xb0dd2f, 0xb2dd2d, 0xb5de2b, 0xb8de29, 0xbade28,
        0xbddf26, 0xc0df25, 0xc2df23, 0xc5e021, 0xc8e020, 0xcae11f, 0xcde11d, 0xd0e11c, 0xd2e21b, 0xd5e21a,
        0xd8e219, 0xdae319, 0xdde318, 0xdfe318, 0xe2e418, 0xe5e419, 0xe7e419, 0xeae51a, 0xece51b, 0xefe51c,
        0xf1e51d, 0xf4e61e, 0xf6e620, 0xf8e621, 0xfbe723, 0xfde725,
    };
    // clang-format on

    constexpr QRgb noValue = 0xff9aa0a6;

} // namespace

QRgb viridis(double t)
{
    if (std::isnan(t))
        return noValue;
    const double index = std::clamp(t, 0.0, 1.0) * (viridisTable.size() - 1);
    return 0xff000000U | viridisTable[static_cast<std::size_t>(std::lround(index))];
}

ValueScale ValueScale::linear(double low, double high)
{
    ValueScale scale;
    scale.low_ = low;
    scale.high_ = high > low ? high : low + 1;
    return scale;
}

ValueScale ValueScale::log(double low, double high)
{
    ValueScale scale;
    scale.kind_ = ValueScaleKind::log;
    scale.low_ = low > 0 ? low : 1e-30;
    scale.high_ = high > scale.low_ ? high : scale.low_ * 10;
    scale.logLow_ = std::log(scale.low_);
    scale.logHigh_ = std::log(scale.high_);
    return scale;
}

namespace {

    /// Up to 2^16 finite values, evenly spaced over the list, sorted; the largest and smallest are always among them.
    std::vector<float> sortedSample(std::span<const float> values)
    {
        constexpr std::size_t most = std::size_t { 1 } << 16;
        const std::size_t step = std::max<std::size_t>(1, values.size() / most);
        std::vector<float> sample;
        sample.reserve(values.size() / step + 3);
        float low = std::numeric_limits<float>::infinity();
        float high = -low;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float value = values[i];
            if (!std::isfinite(value))
                continue;
            low = std::min(low, value);
            high = std::max(high, value);
            if (i % step == 0)
                sample.push_back(value);
        }
        if (low <= high) {
            sample.push_back(low);
            sample.push_back(high);
        }
        std::sort(sample.begin(), sample.end());
        return sample;
    }

} // namespace

ValueScale ValueScale::percentile(std::span<const float> values)
{
    const std::vector<float> sample = sortedSample(values);
    if (sample.empty())
        return linear(0, 1);
    ValueScale scale;
    scale.kind_ = ValueScaleKind::percentile;
    scale.quantiles_.resize(steps + 1);
    for (std::size_t i = 0; i <= steps; ++i)
        scale.quantiles_[i] = static_cast<double>(sample[i * (sample.size() - 1) / steps]);
    scale.low_ = scale.quantiles_.front();
    scale.high_ = scale.quantiles_.back();
    return scale;
}

ValueScale ValueScale::fitted(ValueScaleKind kind, std::span<const float> values)
{
    if (kind == ValueScaleKind::percentile)
        return percentile(values);
    const std::vector<float> sample = sortedSample(values);
    if (sample.empty())
        return kind == ValueScaleKind::log ? log(0.1, 1) : linear(0, 1);
    const double high = static_cast<double>(sample.back());
    if (kind == ValueScaleKind::linear)
        return linear(std::min(0.0, static_cast<double>(sample.front())), high);
    const auto positive = std::upper_bound(sample.begin(), sample.end(), 0.0F);
    if (positive == sample.end())
        return log(0.1, 1);
    const auto above = sample.end() - positive;
    return log(static_cast<double>(*(positive + above / 1000)), high);
}

ValueScale ValueScale::held(ValueScaleKind kind, const ValueRange& range)
{
    constexpr double least = 1e-6; // of the top
    if (kind == ValueScaleKind::linear)
        return linear(range.low, range.high);
    return log(range.low > 0 ? range.low : range.high * least, range.high);
}

Beyond beyondOf(std::span<const float> values, const ValueRange& range)
{
    Beyond beyond;
    for (const float value : values) {
        beyond.below += static_cast<double>(value) < range.low ? 1 : 0;
        beyond.above += static_cast<double>(value) > range.high ? 1 : 0;
    }
    return beyond;
}

double ValueScale::position(double value) const
{
    if (std::isnan(value))
        return value;
    switch (kind_) {
    case ValueScaleKind::linear:
        return std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
    case ValueScaleKind::log:
        if (value <= low_)
            return 0;
        return std::min(1.0, (std::log(value) - logLow_) / (logHigh_ - logLow_));
    case ValueScaleKind::percentile:
        break;
    }
    const auto above = std::upper_bound(quantiles_.begin(), quantiles_.end(), value);
    if (above == quantiles_.begin())
        return 0;
    if (above == quantiles_.end())
        return 1;
    const double before = *(above - 1);
    const double within = (value - before) / (*above - before);
    return (static_cast<double>(above - quantiles_.begin() - 1) + within) / static_cast<double>(steps);
}

double ValueScale::value(double position) const
{
    const double t = std::clamp(position, 0.0, 1.0);
    if (kind_ == ValueScaleKind::linear)
        return low_ + t * (high_ - low_);
    if (kind_ == ValueScaleKind::log)
        return std::exp(logLow_ + t * (logHigh_ - logLow_));
    const double place = t * static_cast<double>(steps);
    const auto index = std::min(static_cast<std::size_t>(place), steps - 1);
    return std::lerp(quantiles_[index], quantiles_[index + 1], place - static_cast<double>(index));
}

std::vector<ColorTick> colorTicks(const ValueScale& scale, int wanted)
{
    std::vector<ColorTick> ticks;
    if (scale.kind() == ValueScaleKind::percentile) {
        for (const double position : { 0.0, 0.25, 0.5, 0.75, 1.0 })
            ticks.push_back({ position, scale.value(position) });
        return ticks;
    }
    const auto ticksOf = scale.kind() == ValueScaleKind::log ? charts::logTicks : charts::linearTicks;
    for (const double value : ticksOf({ scale.low(), scale.high() }, wanted))
        ticks.push_back({ scale.position(value), value });
    return ticks;
}

} // namespace keepset::ui
