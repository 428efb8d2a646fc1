#include "core/intervals.h"

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

double interval_quantile(std::int64_t n)
{
    return n < least_windows ? not_a_number : student_quantile(0.975, static_cast<double>(n - 1));
}

Interval mean_interval(std::span<const double> values, double quantile)
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

Interval ratio_interval(std::span<const double> sums, std::span<const double> counts, double quantile)
{
    Interval result;
    result.count = std::ranges::count_if(counts, [](double count) { return count > 0; });
    const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
    result.mean = std::accumulate(sums.begin(), sums.end(), 0.0) / all; // of none NaN
    if (result.count < least_windows)
        return result;
    double squares = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const double residual = sums[i] - result.mean * counts[i];
        squares += residual * residual / (1 - counts[i] / all);
    }
    const double error = std::sqrt(squares) / all; // of the mean
    const auto freedom = static_cast<double>(result.count - 1);
    result.p_value = error == 0 && result.mean == 0 ? 1 : student_two_sided(result.mean / error, freedom);
    result.low = result.mean - quantile * error;
    result.high = result.mean + quantile * error;
    return result;
}

Interval mean_interval(std::span<const double> values)
{
    return mean_interval(values, interval_quantile(static_cast<std::int64_t>(values.size())));
}

} // namespace keepset
