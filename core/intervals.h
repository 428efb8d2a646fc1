#pragma once

#include "core/task.h"

#include <cstdint>
#include <span>
#include <vector>

/// Uncertainty of a mean over windows (SEMANTICS 5).
namespace keepset {

/// Fewer windows than this give no interval.
inline constexpr std::int64_t least_windows = 5;

/// A mean and its 95% interval; NaN where there is none.
struct Interval {
    double mean = not_a_number;
    double low = not_a_number;
    double high = not_a_number;
    std::int64_t count = 0;
    double p_value = not_a_number; ///< two-sided, of a true mean of 0; below 0.05 where the interval excludes 0
};

/// P(T ≤ t) of Student's t with `freedom` ≥ 1 degrees of freedom.
double student_cdf(double t, double freedom);
/// The t with student_cdf(t, freedom) = probability, 0 < probability < 1.
double student_quantile(double probability, double freedom);
/// P(|T| ≥ |t|) of Student's t, exact to the last digits also far out.
double student_two_sided(double t, double freedom);
/// p-values (comparisons), none NaN, adjusted by Holm's step-down method (1979): the i-th smallest of m times m - i +
/// 1, none below the one before, none above 1. Those below 0.05 stand with at most 5% for any false one among all.
std::vector<double> holm_adjusted(std::span<const double> p_values);
/// Mean and 95% interval by Student's t, n - 1 degrees of freedom. No interval below `least_windows` values.
Interval mean_interval(std::span<const double> values);
/// The same for whoever makes many intervals of as many values: `quantile` is interval_quantile of their number.
Interval mean_interval(std::span<const double> values, double quantile);
/// Mean over things of which the windows have unlike numbers: Σ sums / Σ counts, both (windows). Its 95% interval is by
/// Student's t over the n windows that have any, n - 1 degrees of freedom: the error of a ratio, linearised (Cochran,
/// Sampling Techniques, 1977, ch. 6), each window's residual divided by sqrt(1 - its share of the counts), which makes
/// it mean_interval of the windows' means where the counts are equal. `quantile` is interval_quantile of n; `count` of
/// the result is n.
Interval ratio_interval(std::span<const double> sums, std::span<const double> counts, double quantile);
/// The t of a 95% interval over n values; NaN below `least_windows`.
double interval_quantile(std::int64_t n);

} // namespace keepset
