#pragma once

#include "core/intervals.h"
#include "core/run.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What a sweep measures of every point, as one table (SEMANTICS 5): charts, lists of quantities and tables are made
/// from it, so that a metric which is added here appears in all of them.
namespace keepset {

/// One line of the table.
struct Metric {
    /// Which values there are: what may be drawn on a logarithmic axis, and how many digits say it.
    enum class Values : std::uint8_t {
        positive, ///< a size, above 0
        difference, ///< of either sign
        share ///< of 1
    };
    /// How the windows' values make the point's, which says what its 95% interval is.
    enum class Mean : std::uint8_t {
        none, ///< it is no mean (a sum, the work of all windows): no interval
        arithmetic, ///< Student's t over the windows
        geometric ///< the same over their logarithms, mapped by exp
    };
    std::string name; ///< in tables and files: "kl"
    std::string title; ///< to choose by: "KL to dense"
    std::string quantity; ///< at an axis: "KL(dense ‖ method)"
    std::string unit; ///< "nats", "s"; empty: a pure number
    std::string description; ///< one sentence
    Values values = Values::positive;
    Mean mean = Mean::arithmetic;
    bool lower_is_better = true;
    bool paired = false; ///< what a window gives is a difference to dense, so that the interval is paired by window
    /// Texts differ more than methods: what is drawn around a curve of this is the interval of the ratio to dense,
    /// which is paired by window, times dense.
    bool band_of_ratio = false;
    /// Of a point over the windows done; absent: the mean of in_window.
    std::function<double(const Run& run, std::size_t point)> value = nullptr;
    /// Of a point in a window that is done, NaN where the run does not hold it; absent: it is not kept by window.
    std::function<double(const Run& run, std::size_t point, std::int64_t window)> in_window = nullptr;
    /// How many things the window's value is the arithmetic mean of, where windows have unlike numbers: then the
    /// point's is the mean over all of them, with the interval of a ratio. Absent: every window counts alike.
    std::function<double(const Run& run, std::int64_t window)> weight = nullptr;
};

/// Every metric there is, in the order of lists.
std::span<const Metric> metrics();
/// By its name. Throws Error{usage} with the list of known names.
const Metric& find_metric(const std::string& name);
/// Whether a point of the run has a number: files of older versions lack some.
bool holds(const Run& run, const Metric& metric);
/// Metrics that a run holds, in table order.
std::vector<const Metric*> metrics_of(const Run& run);

/// Metrics that are no column of /sweep/points, in table order: those of CSV and JSON behind them.
std::vector<const Metric*> metrics_beside_points();

/// Of a point (index into run.points); NaN where the run does not hold it.
double value_of(const Run& run, const Metric& metric, std::size_t point);
/// Of a point in a window; NaN where the run does not hold it, or the window is not done.
double value_in_window(const Run& run, const Metric& metric, std::size_t point, std::int64_t window);
/// 95% intervals of all points (points) over the windows done, `mean` being value_of. Without ends where the metric is
/// no mean, below `least_windows`, and where a window's value is not finite: such a window never drops out.
std::vector<Interval> intervals_of(const Run& run, const Metric& metric);
/// What is drawn around a curve (points): intervals_of, or, where the metric says so, that of the ratio to dense times
/// dense.
std::vector<Interval> bands_of(const Run& run, const Metric& metric);
/// The point of least perplexity where most is evicted, for one line about a run: dense beside it says nothing, because
/// it evicts nothing. Nothing where no window is done.
std::optional<std::size_t> best_point(const Run& run);

} // namespace keepset
