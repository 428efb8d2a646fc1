#pragma once

#include <QString>

#include <vector>

/// Numbers along an axis: ticks, labels and the way to pixels and back. Pure functions, no window.
namespace keepset::ui::plot {

enum class AxisScale { linear, log };

/// How an axis writes its values.
enum class NumberFormat {
    plain, ///< 1,024 or 0.25
    percent, ///< a share 0.5 as 50%
    signedPlain, ///< +0.05, and 0 without a sign
};

/// A stretch of values, low < high; on a log axis both are above 0.
struct AxisRange {
    double low = 0;
    double high = 1;
    bool operator==(const AxisRange&) const = default;
};

/// Where values stand in pixels: `pixelLow` belongs to range.low (for an upright axis it is the larger one).
struct AxisMap {
    AxisRange range;
    AxisScale scale = AxisScale::linear;
    double pixelLow = 0;
    double pixelHigh = 1;

    double toPixel(double value) const;
    double toValue(double pixel) const;
};

/// Round values (1, 2, 2.5 or 5 times a power of ten) inside the range, about `wanted` of them, at least two where
/// possible.
std::vector<double> linearTicks(AxisRange range, int wanted);
/// Values inside the range for a log axis: powers of ten where there are enough, else 1-2-5 steps, else round values
/// thinned so that they stand evenly on the log axis (14 to 65 gives 15, 20, 25, 30, 40, 50, 60).
std::vector<double> logTicks(AxisRange range, int wanted);
/// linearTicks or logTicks.
std::vector<double> ticksFor(AxisRange range, AxisScale scale, int wanted);

/// The values as text, all with the digits that tell neighbours apart, thousands with commas.
std::vector<QString> tickLabels(const std::vector<double>& ticks, NumberFormat format);

/// The range with `share` of its length (of its log length on a log axis) added below and above.
AxisRange padded(AxisRange range, AxisScale scale, double share);
/// The range a view has after zooming by `factor` (< 1: closer) around the value that is to stay in its place.
AxisRange zoomed(AxisRange range, AxisScale scale, double factor, double around);
/// Smallest range that holds all values that can be drawn on the scale; [0, 1] (log: [1, 10]) where there are none,
/// widened where all are equal.
AxisRange rangeOf(const std::vector<double>& values, AxisScale scale);

/// Centres for labels of the same height that want to stand at `wanted`: in their order, none overlapping, inside
/// [top, bottom] where they fit, moved as little as possible.
std::vector<double> spreadLabels(const std::vector<double>& wanted, double height, double top, double bottom);

} // namespace keepset::ui::plot
