#pragma once

#include "core/types.h"

#include <optional>
#include <span>

/// Uncertainty over the windows of a sweep (SEMANTICS 5).
namespace keepset {

/// Fewer windows than this give no interval.
inline constexpr std::int64_t least_windows = 5;

/// A mean and its 95% interval; NaN where there is none.
struct Interval {
    double mean = not_a_number;
    double low = not_a_number;
    double high = not_a_number;
    std::int64_t count = 0;
};

/// P(T ≤ t) of Student's t with `freedom` ≥ 1 degrees of freedom.
double student_cdf(double t, double freedom);
/// The t with student_cdf(t, freedom) = probability, 0 < probability < 1.
double student_quantile(double probability, double freedom);
/// Mean and 95% interval by Student's t, n - 1 degrees of freedom. No interval below `least_windows` values.
Interval mean_interval(std::span<const double> values);

/// Losses that are scored in a window.
std::int64_t scored_in_window(const Run& run);
/// Whether any point has a loss or a target hash in this window.
bool window_done(const Run& run, std::int64_t window);
/// Sum of the losses of one point in one window.
double window_loss(const Run& run, std::size_t point, std::int64_t window);
/// Index of the point of a policy (canonical spelling) at a sparsity, if there is one.
std::optional<std::size_t> find_point(const Run& run, const std::string& policy, double sparsity);
/// Index of the dense point, if there is one.
std::optional<std::size_t> dense_point(const Run& run);
/// Difference of two points' NLL per token over the windows both have: mean of (a - b).
Interval paired_interval(const Run& run, std::size_t a, std::size_t b);

/// Brings windows, scored_tokens, nll_sum, perplexity and its interval of every point up to run.window_nll.
/// Call it after each window, when that window's columns are set. Leaves kl, agreement, mass and seconds alone.
void refresh_points(Run& run);

} // namespace keepset
