#include "core/sweep/statistics.h"

#include "core/error.h"
#include "core/findings.h"
#include "core/sweep/comparisons.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_set>

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

double student_two_sided(double t, double freedom)
{
    if (!std::isfinite(t))
        return std::isnan(t) ? t : 0;
    const double square = t * t;
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
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

std::vector<double> holm_adjusted(std::span<const double> p_values)
{
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t { 0 });
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p_values[a] < p_values[b]; });
    std::vector<double> adjusted(p_values.size());
    double before = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const double raised = p_values[order[rank]] * static_cast<double>(order.size() - rank);
        before = std::min(1.0, std::max(before, raised));
        adjusted[order[rank]] = before;
    }
    return adjusted;
}

namespace {

    /// The t of a 95% interval over n values; NaN where there is none.
    double quantile_for(std::int64_t n)
    {
        return n < least_windows ? not_a_number : student_quantile(0.975, static_cast<double>(n - 1));
    }

    /// Of as many values as `quantile` is for.
    Interval interval_by(std::span<const double> values, double quantile)
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
        const double error = std::sqrt(squares / (n - 1) / n); // of the mean
        result.p_value = error == 0 && result.mean == 0 ? 1 : student_two_sided(result.mean / error, n - 1);
        const double half = quantile * error;
        result.low = result.mean - half;
        result.high = result.mean + half;
        return result;
    }

} // namespace

Interval mean_interval(std::span<const double> values)
{
    return interval_by(values, quantile_for(static_cast<std::int64_t>(values.size())));
}

std::int64_t scored_in_window(const Run& run) { return std::max<std::int64_t>(1, run.target - 1); }

double window_loss(const Run& run, std::size_t point, std::int64_t window)
{
    return run.window_nll[cell(run, point, window)];
}

std::vector<std::int64_t> done_windows(const Run& run)
{
    std::vector<std::int64_t> done;
    for (std::int64_t window = 0; window < run.windows; ++window) {
        if (window_done(run, window))
            done.push_back(window);
    }
    return done;
}

std::optional<std::size_t> find_point(const Run& run, const std::string& policy, double sparsity)
{
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        if (run.points[i].policy == policy && std::abs(run.points[i].sparsity - sparsity) < same_sparsity)
            return i;
    }
    return std::nullopt;
}

PointIndex::PointIndex(const Run& run)
{
    for (std::size_t i = 0; i < run.points.size(); ++i)
        places_[run.points[i].policy].push_back({ run.points[i].sparsity, i });
}

std::optional<std::size_t> PointIndex::find(const std::string& policy, double sparsity) const
{
    const auto places = places_.find(policy);
    if (places == places_.end())
        return std::nullopt;
    for (const Place& place : places->second) {
        if (std::abs(place.sparsity - sparsity) < 1e-12)
            return place.point;
    }
    return std::nullopt;
}

std::vector<std::size_t> PointIndex::of(const std::string& policy) const
{
    std::vector<std::size_t> points;
    if (const auto places = places_.find(policy); places != places_.end()) {
        for (const Place& place : places->second)
            points.push_back(place.point);
    }
    return points;
}

std::optional<std::size_t> dense_point(const Run& run) { return find_point(run, "dense", 0); }

Interval paired_interval(const Run& run, std::size_t a, std::size_t b)
{
    std::vector<double> differences; // (windows done)
    const auto scored = static_cast<double>(scored_in_window(run));
    for (const std::int64_t window : done_windows(run))
        differences.push_back((window_loss(run, a, window) - window_loss(run, b, window)) / scored);
    const auto finite = [](double difference) { return std::isfinite(difference); };
    if (!std::all_of(differences.begin(), differences.end(), finite))
        return { .count = static_cast<std::int64_t>(differences.size()) };
    return mean_interval(differences);
}

std::string why_undecided(const Run& run, std::size_t a, std::size_t b)
{
    const std::vector<std::int64_t> done = done_windows(run);
    const auto lost_at = [&](std::size_t point) {
        return std::count_if(done.begin(), done.end(),
            [&](std::int64_t window) { return !std::isfinite(window_loss(run, point, window)); });
    };
    std::vector<std::string> lost;
    for (const std::size_t point : { a, b }) {
        if (const std::int64_t windows = lost_at(point); windows > 0)
            lost.push_back("for " + title_of(run.points[point].policy) + " in " + grouped(windows));
    }
    if (lost.empty())
        return {};
    return "the loss is not finite " + listed(lost) + " of "
        + counted(static_cast<std::int64_t>(done.size()), "window");
}

void refresh_points(Run& run)
{
    const std::vector<std::int64_t> done = done_windows(run);
    const auto scored = static_cast<double>(scored_in_window(run));
    const double quantile = quantile_for(static_cast<std::int64_t>(done.size()));
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
        const Interval interval = interval_by(means, quantile);
        point.perplexity = std::exp(interval.mean);
        point.ci_low = std::exp(interval.low);
        point.ci_high = std::exp(interval.high);
    }
}

std::vector<std::string> methods(const Run& run)
{
    std::vector<std::string> names;
    std::unordered_set<std::string> seen;
    for (const SweepPoint& point : run.points) {
        if (seen.insert(point.policy).second)
            names.push_back(point.policy);
    }
    return names;
}

std::vector<PairedDifference> paired_differences(const Run& run, const std::string& reference)
{
    const std::vector<std::string> known = methods(run);
    if (std::find(known.begin(), known.end(), reference) == known.end())
        throw Error(ErrorKind::usage, "The run has no method '" + reference + "'.", "It has: " + joined(known) + ".");
    const Comparisons comparisons(run, reference);
    std::map<std::string, std::vector<Comparison>> against; // of every method
    for (const std::string& method : known)
        against[method] = comparisons.between(method, reference);
    std::vector<PairedDifference> differences;
    const PointIndex index(run);
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        const SweepPoint& point = run.points[i];
        const auto add = [&](const Comparison& c) {
            const Interval& d = c.difference;
            differences.push_back({ point.policy, reference, point.sparsity, d.mean, d.low, d.high, d.count, d.p_value,
                c.stands, c.undecided });
        };
        if (point.policy == reference)
            continue;
        const std::vector<Comparison>& made = against[point.policy];
        const auto found
            = std::find_if(made.begin(), made.end(), [&](const Comparison& c) { return c.sparsity == point.sparsity; });
        if (found != made.end()) {
            add(*found);
            continue;
        }
        // With nothing evicted there is nothing to test: it is shown, and counts in no correction.
        const auto other = point.sparsity > 0 ? std::nullopt : index.find(reference, point.sparsity);
        if (other)
            add({ point.sparsity, paired_interval(run, i, *other), false, why_undecided(run, i, *other) });
    }
    return differences;
}

} // namespace keepset
