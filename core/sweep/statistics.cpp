#include "core/sweep/statistics.h"

#include "core/error.h"
#include "core/findings.h"
#include "core/sweep/comparisons.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

namespace keepset {

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
    return paired_interval(run, a, b, interval_quantile(run.windows_done()));
}

Interval paired_interval(const Run& run, std::size_t a, std::size_t b, double quantile)
{
    std::vector<double> differences; // (windows done)
    const auto scored = static_cast<double>(scored_in_window(run));
    for (const std::int64_t window : done_windows(run))
        differences.push_back((window_loss(run, a, window) - window_loss(run, b, window)) / scored);
    const auto finite = [](double difference) { return std::isfinite(difference); };
    if (!std::all_of(differences.begin(), differences.end(), finite))
        return { .count = static_cast<std::int64_t>(differences.size()) };
    return mean_interval(differences, quantile);
}

double key_tokens_of(const Run& run)
{
    if (run.window_key_count.empty())
        return not_a_number;
    double sum = 0;
    for (const std::int64_t window : done_windows(run))
        sum += run.window_key_count[static_cast<std::size_t>(window)]; // of the first point: all have the same
    return sum;
}

std::int64_t windows_with_key_tokens(const Run& run)
{
    const std::vector<std::int64_t> done = done_windows(run);
    return std::ranges::count_if(done, [&](std::int64_t window) {
        const auto index = static_cast<std::size_t>(window);
        return index < run.window_key_count.size() && run.window_key_count[index] > 0;
    });
}

bool may_tell_of_key_tokens(const Run& run)
{
    return key_tokens_of(run) >= least_key_tokens && windows_with_key_tokens(run) >= least_windows;
}

Interval paired_key_interval(const Run& run, std::size_t a, std::size_t b, double quantile)
{
    std::vector<double> differences; // (windows done)
    std::vector<double> counts; // (windows done)
    for (const std::int64_t window : done_windows(run)) {
        differences.push_back(sum_over_key_tokens(run, a, window) - sum_over_key_tokens(run, b, window));
        counts.push_back(run.window_key_count[static_cast<std::size_t>(window)]);
    }
    const auto finite = [](double difference) { return std::isfinite(difference); };
    if (!std::all_of(differences.begin(), differences.end(), finite))
        return { .count = static_cast<std::int64_t>(differences.size()) };
    return ratio_interval(differences, counts, quantile);
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
    const double quantile = interval_quantile(run.windows_done());
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
            add({ point.sparsity, paired_interval(run, i, *other, quantile), false, why_undecided(run, i, *other) });
    }
    return differences;
}

} // namespace keepset
