#pragma once

#include "core/run.h"

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

/// Uncertainty over the windows of a sweep (SEMANTICS 5).
namespace keepset {

/// Fewer windows than this give no interval.
inline constexpr std::int64_t least_windows = 5;

/// Sparsities closer than this are one.
inline constexpr double same_sparsity = 1e-12;

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

/// Losses that are scored in a window.
std::int64_t scored_in_window(const Run& run);
/// The windows that are done, ascending.
std::vector<std::int64_t> done_windows(const Run& run);
/// Sum of the losses of one point in one window.
double window_loss(const Run& run, std::size_t point, std::int64_t window);
/// Index of the point of a policy (canonical spelling) at a sparsity, if there is one.
std::optional<std::size_t> find_point(const Run& run, const std::string& policy, double sparsity);
/// Points of a run by policy, for whoever asks for many: find_point goes through all of them.
class PointIndex {
public:
    explicit PointIndex(const Run& run);
    /// As find_point.
    std::optional<std::size_t> find(const std::string& policy, double sparsity) const;
    /// Points of a policy in the order of the run; none where it has no such policy.
    std::vector<std::size_t> of(const std::string& policy) const;

private:
    struct Place {
        double sparsity;
        std::size_t point;
    };
    std::unordered_map<std::string, std::vector<Place>> places_;
};
/// Index of the dense point, if there is one.
std::optional<std::size_t> dense_point(const Run& run);
/// Difference of two points' NLL per token over all windows done: mean of (a - b). NaN throughout where a loss of
/// either is not finite in any of them: such a window never drops out.
Interval paired_interval(const Run& run, std::size_t a, std::size_t b);
/// Why paired_interval of two points has no mean: "the loss is not finite for CAB in 2 of 10 windows"; else empty.
std::string why_undecided(const Run& run, std::size_t a, std::size_t b);

/// Brings windows, scored_tokens, nll_sum, perplexity and its interval of every point up to run.window_nll.
/// Call it after each window, when that window's columns are set. Leaves kl, agreement, mass and seconds alone.
void refresh_points(Run& run);

} // namespace keepset
