#pragma once

#include <QString>

#include <vector>

/// Numbers along an axis: ranges, ticks, words for values. Pure functions, no window.
namespace keepset::ui::charts {

enum class AxisScale { linear, log };

/// How an axis writes its values.
enum class NumberFormat {
    plain, ///< 1,024 or 0.25
    percent, ///< a share 0.5 as 50%
    signedPlain, ///< +0.05, and 0 without a sign
};

/// A stretch, low < high.
struct AxisRange {
    double low = 0;
    double high = 1;
    double length() const { return high - low; }
    bool operator==(const AxisRange&) const = default;
};

/// Round values (1, 2, 2.5 or 5 times a power of ten) inside the range, about `wanted` of them, at least two where
/// possible.
std::vector<double> linearTicks(AxisRange range, int wanted);
/// Values inside the range for a log axis: powers of ten where there are enough, else 1-2-5 steps, else round values
/// thinned so that they stand evenly on the log axis (14 to 65 gives 15, 20, 25, 30, 40, 50, 60).
std::vector<double> logTicks(AxisRange range, int wanted);

/// The values as text, all with the digits that tell neighbours apart, thousands with commas.
std::vector<QString> tickLabels(const std::vector<double>& ticks, NumberFormat format);
/// "20.52", "90%", "+0.0134"; "–" where it is no number.
QString valueText(double value, NumberFormat format);

/// The range with `share` of its length added below and above.
AxisRange padded(AxisRange range, double share);
/// The range after zooming by `factor` (< 1: closer) around the value that is to stay in its place.
AxisRange zoomed(AxisRange range, double factor, double around);
/// Smallest range that holds all finite values; [0, 1] where there are none, widened where all are equal.
AxisRange rangeOf(const std::vector<double>& values);

/// Centres for labels of the same height that want to stand at `wanted`: in their order, none overlapping, inside
/// [top, bottom] where they fit, moved as little as possible.
std::vector<double> spreadLabels(const std::vector<double>& wanted, double height, double top, double bottom);

} // namespace keepset::ui::charts
