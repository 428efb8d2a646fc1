#include "core/sweep/statistics.h"

#include "core/engine.h"
#include "core/policy/words.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace keepset {

namespace {

    /// Continued fraction of the incomplete beta function by Lentz's method (NIST DLMF 8.17.22), x < (a + 1)/(a + b +
    /// 2).
    double beta_fraction(double a, double b, double x)
    {
        constexpr double tiny = 1e-300; // stands for a zero that would be divided by
        const auto away = [](double value) { return std::abs(value) < tiny ? tiny : value; };
        double c = 1;
        double d = 1 / away(1 - (a + b) * x / (a + 1));
        double fraction = d;
        for (int m = 1; m < 10000; ++m) {
            const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / away(1 + even * d);
            c = away(1 + even / c);
            fraction *= c * d;
            const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / away(1 + odd * d);
            c = away(1 + odd / c);
            fraction *= c * d;
            if (std::abs(c * d - 1) < 1e-15)
                break;
        }
        return fraction;
    }

    /// Regularised incomplete beta function I_x(a, b); `y` is 1 - x, given because the difference may have lost digits.
    double incomplete_beta(double a, double b, double x, double y)
    {
        if (x <= 0 || y <= 0)
            return x <= 0 ? 0 : 1;
        const double front
            = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
        if (x < (a + 1) / (a + b + 2))
            return front * beta_fraction(a, b, x) / a;
        return 1 - front * beta_fraction(b, a, y) / b;
    }

    std::size_t cell(const Run& run, std::size_t point, std::int64_t window)
    {
        return point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window);
    }

} // namespace

double student_cdf(double t, double freedom)
{
    const double square = t * t;
    const double tail
        = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square)) / 2;
    return t < 0 ? tail : 1 - tail;
}

double student_quantile(double probability, double freedom)
{
    if (probability < 0.5)
        return -student_quantile(1 - probability, freedom);
    double low = 0;
    double high = 1;
    while (student_cdf(high, freedom) < probability)
        high *= 2;
    for (int step = 0; step < 100 && high - low > 1e-15 * high; ++step) {
        const double middle = (low + high) / 2;
        (student_cdf(middle, freedom) < probability ? low : high) = middle;
    }
    return (low + high) / 2;
}

Interval mean_interval(std::span<const double> values)
{
    Interval result;
    result.count = static_cast<std::int64_t>(values.size());
    if (values.empty())
        return result;
    const auto n = static_cast<double>(values.size());
    result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    if (result.count < least_windows)
        return result;
    double squares = 0;
    for (const double value : values)
        squares += (value - result.mean) * (value - result.mean);
    const double half = student_quantile(0.975, n - 1) * std::sqrt(squares / (n - 1) / n);
    result.low = result.mean - half;
    result.high = result.mean + half;
    return result;
}

std::int64_t scored_in_window(const Run& run) { return std::max<std::int64_t>(1, run.target - 1); }

double window_loss(const Run& run, std::size_t point, std::int64_t window)
{
    return run.window_nll[cell(run, point, window)];
}

bool window_done(const Run& run, std::int64_t window)
{
    for (std::size_t point = 0; point < run.points.size(); ++point) {
        // A loss that came out as NaN is told from one that is not there by the target's hash.
        if (!std::isnan(window_loss(run, point, window))
            || (!run.target_hash.empty() && run.target_hash[cell(run, point, window)] != 0))
            return true;
    }
    return false;
}

std::optional<std::size_t> find_point(const Run& run, const std::string& policy, double sparsity)
{
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        if (run.points[i].policy == policy && std::abs(run.points[i].sparsity - sparsity) < 1e-12)
            return i;
    }
    return std::nullopt;
}

std::optional<std::size_t> dense_point(const Run& run) { return find_point(run, "dense", 0); }

Interval paired_interval(const Run& run, std::size_t a, std::size_t b)
{
    std::vector<double> differences; // (windows done)
    for (std::int64_t window = 0; window < run.windows; ++window) {
        const double difference = window_loss(run, a, window) - window_loss(run, b, window);
        if (std::isfinite(difference))
            differences.push_back(difference / static_cast<double>(scored_in_window(run)));
    }
    return mean_interval(differences);
}

void refresh_points(Run& run)
{
    std::vector<std::int64_t> done;
    for (std::int64_t window = 0; window < run.windows; ++window) {
        if (window_done(run, window))
            done.push_back(window);
    }
    const auto scored = static_cast<double>(scored_in_window(run));
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        std::vector<double> means; // (windows done): NLL per token
        SweepPoint& point = run.points[i];
        point.nll_sum = 0;
        for (const std::int64_t window : done) {
            point.nll_sum += window_loss(run, i, window);
            means.push_back(window_loss(run, i, window) / scored);
        }
        point.windows = static_cast<std::int64_t>(done.size());
        point.scored_tokens = point.windows * scored_in_window(run);
        const Interval interval = mean_interval(means);
        point.perplexity = std::exp(interval.mean);
        point.ci_low = std::exp(interval.low);
        point.ci_high = std::exp(interval.high);
    }
}

std::int64_t Run::windows_done() const { return points.empty() ? 0 : points.front().windows; }
bool Run::finished() const { return windows > 0 && windows_done() == windows; }

std::vector<std::string> methods(const Run& run)
{
    std::vector<std::string> names;
    for (const SweepPoint& point : run.points) {
        if (std::find(names.begin(), names.end(), point.policy) == names.end())
            names.push_back(point.policy);
    }
    return names;
}

std::vector<PairedDifference> paired_differences(const Run& run, const std::string& reference)
{
    const std::vector<std::string> known = methods(run);
    if (std::find(known.begin(), known.end(), reference) == known.end())
        throw Error(ErrorKind::usage, "The run has no method '" + reference + "'.", "It has: " + joined(known) + ".");
    std::vector<PairedDifference> differences;
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        const SweepPoint& point = run.points[i];
        const auto other = reference == "dense" ? dense_point(run) : find_point(run, reference, point.sparsity);
        if (point.policy == reference || !other)
            continue;
        const Interval d = paired_interval(run, i, *other);
        differences.push_back({ point.policy, reference, point.sparsity, d.mean, d.low, d.high, d.count });
    }
    return differences;
}

} // namespace keepset
