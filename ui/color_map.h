#pragma once

#include <QRgb>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

/// Values to colours: the map itself and the scale in front of it. Pure functions, no window.
namespace keepset::ui {

/// Colour of t in [0, 1], viridis: dark blue through green to yellow, even steps in lightness also for colour-deficient
/// eyes. Outside values take the ends; NaN is grey.
QRgb viridis(double t);

enum class ValueScaleKind { linear, log, percentile };

/// Ends of a range of values, low < high.
struct ValueRange {
    double low = 0;
    double high = 1;
    bool operator==(const ValueRange&) const = default;
};

/// How many values lie beyond the ends of a range.
struct Beyond {
    std::int64_t below = 0;
    std::int64_t above = 0;
};
Beyond beyondOf(std::span<const float> values, const ValueRange& range);

/// Maps values to [0, 1] for a colour map.
class ValueScale {
public:
    ValueScale() = default;
    /// Linear from low to high.
    static ValueScale linear(double low, double high);
    /// Logarithmic from low to high, low > 0; everything below low has the colour of low.
    static ValueScale log(double low, double high);
    /// By rank: the share of `values` that lie below. Up to 2^16 evenly spaced values are looked at. NaN are left out.
    static ValueScale percentile(std::span<const float> values);
    /// The scale of a kind that suits the values: linear from their smallest; log from their 0.1% quantile above 0.
    static ValueScale fitted(ValueScaleKind kind, std::span<const float> values);

    /// Linear, or logarithmic, between the ends of a range; from a millionth of its top where a logarithm has no
    /// bottom.
    static ValueScale held(ValueScaleKind kind, const ValueRange& range);

    ValueScaleKind kind() const { return kind_; }
    double low() const { return low_; }
    double high() const { return high_; }
    /// Place of a value on the colour bar, 0 to 1; NaN for NaN.
    double position(double value) const;
    /// The value at a place of the colour bar; the inverse of position().
    double value(double position) const;
    bool operator==(const ValueScale&) const = default;

private:
    static constexpr std::size_t steps = 512;
    ValueScaleKind kind_ = ValueScaleKind::linear;
    double low_ = 0;
    double high_ = 1;
    double logLow_ = 0; ///< of low and high, made once
    double logHigh_ = 1;
    std::vector<double> quantiles_; ///< (steps + 1), ascending, for percentile
};

/// One labelled mark of a colour bar.
struct ColorTick {
    double position = 0; ///< 0 to 1
    double value = 0;
};
/// About `wanted` round marks of a scale; for percentile the values at 0, 25, 50, 75 and 100%.
std::vector<ColorTick> colorTicks(const ValueScale& scale, int wanted);

} // namespace keepset::ui
