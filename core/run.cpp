#include "core/run.h"

#include "core/intervals.h"

#include <algorithm>
#include <cmath>

namespace keepset {

bool window_done(const Run& run, std::int64_t window)
{
    const auto index = static_cast<std::size_t>(window);
    return index < run.done.size() && run.done[index] != 0;
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

std::int64_t scored_in_window(const Run& run) { return std::max<std::int64_t>(1, run.target - 1); }

namespace {

    double at(const std::vector<double>& values, const Run& run, std::size_t point, std::int64_t window)
    {
        return values[point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window)];
    }

    /// Sum over the windows done. A NaN comes through.
    double sum_of(
        const std::vector<double>& values, const Run& run, std::size_t point, const std::vector<std::int64_t>& done)
    {
        double sum = 0;
        for (const std::int64_t window : done)
            sum += at(values, run, point, window);
        return sum;
    }

} // namespace

double window_loss(const Run& run, std::size_t point, std::int64_t window)
{
    return at(run.window_nll, run, point, window);
}

void refresh_points(Run& run)
{
    const std::vector<std::int64_t> done = done_windows(run);
    const auto windows = static_cast<double>(done.size()); // a mean of none is NaN
    const auto scored = static_cast<double>(scored_in_window(run));
    const double quantile = interval_quantile(static_cast<std::int64_t>(done.size()));
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        std::vector<double> means; // (windows done): NLL per token
        means.reserve(done.size());
        SweepPoint& point = run.points[i];
        for (const std::int64_t window : done)
            means.push_back(window_loss(run, i, window) / scored);
        point.nll_sum = sum_of(run.window_nll, run, i, done);
        point.windows = static_cast<std::int64_t>(done.size());
        point.scored_tokens = point.windows * scored_in_window(run);
        const Interval interval = mean_interval(means, quantile);
        point.perplexity = std::exp(interval.mean);
        point.ci_low = std::exp(interval.low);
        point.ci_high = std::exp(interval.high);
        if (run.window_kl.empty())
            continue;
        point.kl = sum_of(run.window_kl, run, i, done) / windows;
        point.top1_agreement = sum_of(run.window_top1, run, i, done) / windows;
        point.kept_mass = sum_of(run.window_kept_mass, run, i, done) / windows;
        point.seconds = sum_of(run.window_seconds, run, i, done);
    }
}

double sum_over_key_tokens(const Run& run, std::size_t point, std::int64_t window)
{
    const double count = at(run.window_key_count, run, point, window);
    return count == 0 ? 0 : count * at(run.window_key_nll, run, point, window);
}

std::int64_t Run::windows_done() const { return points.empty() ? 0 : points.front().windows; }
std::int64_t Run::windows_of_shard() const
{
    return windows < shard.number ? 0 : (windows - shard.number) / shard.count + 1;
}
bool Run::finished() const { return windows > 0 && windows_done() == windows_of_shard(); }

} // namespace keepset
