#include "core/metrics.h"

#include "core/error.h"
#include "core/sweep/metrics_beyond_mean.h"
#include "core/sweep/statistics.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset {

namespace {

    /// A field of the point, which the table of a file keeps, too.
    template <double SweepPoint::*Field> double field(const Run& run, std::size_t point)
    {
        return run.points[point].*Field;
    }

    double entries_in_a_row(const Run& run, std::size_t point, std::int64_t window)
    {
        const std::size_t index = point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window);
        if (index >= run.kept_entries.size())
            return not_a_number;
        // Layers that slide keep everything, whatever the point.
        const std::int64_t whole = (run.layers * run.kv_heads - run.evicting_rows()) * run.context;
        return static_cast<double>(run.kept_entries[index] - whole) / static_cast<double>(run.evicting_rows());
    }

    double mean_loss(const Run& run, std::size_t point, std::int64_t window)
    {
        return window_loss(run, point, window) / static_cast<double>(scored_in_window(run));
    }

    double perplexity_in_window(const Run& run, std::size_t point, std::int64_t window)
    {
        return std::exp(mean_loss(run, point, window));
    }

    double ratio_to_dense(const Run& run, std::size_t point)
    {
        const auto dense = dense_point(run);
        return dense ? run.points[point].perplexity / run.points[*dense].perplexity : not_a_number;
    }

    double difference_to_dense(const Run& run, std::size_t point) { return std::log(ratio_to_dense(run, point)); }

    double difference_in_window(const Run& run, std::size_t point, std::int64_t window)
    {
        const auto dense = dense_point(run);
        return dense ? mean_loss(run, point, window) - mean_loss(run, *dense, window) : not_a_number;
    }

    double ratio_in_window(const Run& run, std::size_t point, std::int64_t window)
    {
        return std::exp(difference_in_window(run, point, window));
    }

    std::vector<Metric> metrics_of_losses()
    {
        return {
            { .name = "perplexity",
                .title = "perplexity",
                .quantity = "Perplexity",
                .unit = "",
                .description = "exp of the mean loss over the scored tokens",
                .mean = Metric::Mean::geometric,
                .band_of_ratio = true,
                .value = field<&SweepPoint::perplexity>,
                .in_window = perplexity_in_window },
            { .name = "perplexity_ratio_to_dense",
                .title = "ratio to dense",
                .quantity = "Perplexity ÷ dense",
                .unit = "",
                .description = "Perplexity divided by that of the model with nothing evicted",
                .mean = Metric::Mean::geometric,
                .paired = true,
                .value = ratio_to_dense,
                .in_window = ratio_in_window },
            { .name = "delta_nll_to_dense",
                .title = "ΔNLL to dense",
                .quantity = "ΔNLL",
                .unit = "nats",
                .description = "Mean loss minus that of the model with nothing evicted",
                .values = Metric::Values::difference,
                .paired = true,
                .value = difference_to_dense,
                .in_window = difference_in_window },
        };
    }

    std::vector<Metric> metrics_beside_losses()
    {
        return {
            { .name = "kl",
                .title = "KL to dense",
                .quantity = "KL(dense ‖ method)",
                .unit = "nats",
                .description = "How far the predictions are from dense's, mean over the scored tokens",
                .value = field<&SweepPoint::kl>,
                .in_window = element<&Run::window_kl> },
            { .name = "top1_agreement",
                .title = "top-1 agreement",
                .quantity = "Same first choice as dense",
                .unit = "",
                .description = "Share of the scored tokens at which the likeliest next token is dense's",
                .values = Metric::Values::share,
                .lower_is_better = false,
                .value = field<&SweepPoint::top1_agreement>,
                .in_window = element<&Run::window_top1> },
            { .name = "kept_mass",
                .title = "kept attention mass",
                .quantity = "Attention mass kept",
                .unit = "",
                .description = "Share of the context's attention that went to what is kept",
                .values = Metric::Values::share,
                .lower_is_better = false,
                .value = field<&SweepPoint::kept_mass>,
                .in_window = element<&Run::window_kept_mass> },
            { .name = "kept_entries",
                .title = "entries kept",
                .quantity = "Entries kept in a row",
                .unit = "",
                .description
                = "Cache entries that were kept, mean over the rows (layers that evict × kv heads) and windows",
                .in_window = entries_in_a_row },
            { .name = "seconds",
                .title = "seconds",
                .quantity = "Time",
                .unit = "s",
                .description = "The point's share of the target passes of all windows done",
                .mean = Metric::Mean::none,
                .value = field<&SweepPoint::seconds>,
                .in_window = element<&Run::window_seconds> },
        };
    }

    /// The interval of values by window (windows done), of which the metric is the mean.
    Interval interval_over(std::vector<double> values, Metric::Mean mean, double quantile)
    {
        const auto count = static_cast<std::int64_t>(values.size());
        const bool geometric = mean == Metric::Mean::geometric;
        for (double& value : values)
            value = geometric ? std::log(value) : value;
        const auto finite = [](double value) { return std::isfinite(value); };
        if (mean == Metric::Mean::none || !std::all_of(values.begin(), values.end(), finite))
            return { .count = count };
        Interval interval = mean_interval(values, quantile);
        for (double* each : { &interval.mean, &interval.low, &interval.high })
            *each = geometric ? std::exp(*each) : *each;
        return interval;
    }

    /// Of a point in all windows done (windows done).
    std::vector<double> values_by_window(
        const Run& run, const Metric& metric, std::size_t point, const std::vector<std::int64_t>& done)
    {
        std::vector<double> values;
        values.reserve(done.size());
        for (const std::int64_t window : done)
            values.push_back(metric.in_window ? metric.in_window(run, point, window) : not_a_number);
        return values;
    }

    /// The interval of a point whose windows count by Metric::weight.
    Interval weighted_interval(
        const Run& run, const Metric& metric, const std::vector<double>& values, const std::vector<std::int64_t>& done)
    {
        std::vector<double> sums; // (windows done)
        std::vector<double> weights; // (windows done)
        for (std::size_t index = 0; index < done.size(); ++index) {
            weights.push_back(metric.weight(run, done[index]));
            sums.push_back(weights.back() == 0 ? 0 : weights.back() * values[index]);
        }
        const auto finite = [](double value) { return std::isfinite(value); };
        if (!std::ranges::all_of(sums, finite))
            return { .count = static_cast<std::int64_t>(sums.size()) };
        const auto counting = std::ranges::count_if(weights, [](double weight) { return weight > 0; });
        return ratio_interval(sums, weights, interval_quantile(counting));
    }

    /// Over all windows done; `quantile` is interval_quantile of their number.
    Interval interval_of(
        const Run& run, const Metric& metric, std::size_t point, const std::vector<std::int64_t>& done, double quantile)
    {
        std::vector<double> values = values_by_window(run, metric, point, done);
        return metric.weight ? weighted_interval(run, metric, values, done)
                             : interval_over(std::move(values), metric.mean, quantile);
    }

} // namespace

std::span<const Metric> metrics()
{
    static const std::vector<Metric> table = [] {
        std::vector<Metric> lines;
        for (const auto& group : { metrics_of_losses(), metrics_beside_losses(), metrics_beyond_mean() })
            lines.insert(lines.end(), group.begin(), group.end());
        return lines;
    }();
    return table;
}

const Metric& find_metric(const std::string& name)
{
    std::vector<std::string> known;
    for (const Metric& metric : metrics()) {
        if (metric.name == name)
            return metric;
        known.push_back(metric.name);
    }
    throw Error(ErrorKind::usage, "Metric '" + name + "' is not known.", "Choose among: " + joined(known) + ".");
}

bool holds(const Run& run, const Metric& metric)
{
    for (std::size_t point = 0; point < run.points.size(); ++point) {
        if (std::isfinite(value_of(run, metric, point)))
            return true;
    }
    return false;
}

std::vector<const Metric*> metrics_of(const Run& run)
{
    std::vector<const Metric*> held;
    for (const Metric& metric : metrics()) {
        if (holds(run, metric))
            held.push_back(&metric);
    }
    return held;
}

std::vector<const Metric*> metrics_beside_points()
{
    constexpr std::array columns { "perplexity", "kl", "top1_agreement", "kept_mass", "seconds" };
    std::vector<const Metric*> others;
    for (const Metric& metric : metrics()) {
        if (std::ranges::find(columns, metric.name) == columns.end())
            others.push_back(&metric);
    }
    return others;
}

double value_of(const Run& run, const Metric& metric, std::size_t point)
{
    if (metric.value)
        return metric.value(run, point);
    return interval_of(run, metric, point, done_windows(run), not_a_number).mean;
}

double value_in_window(const Run& run, const Metric& metric, std::size_t point, std::int64_t window)
{
    return metric.in_window && window_done(run, window) ? metric.in_window(run, point, window) : not_a_number;
}

std::vector<Interval> intervals_of(const Run& run, const Metric& metric)
{
    const std::vector<std::int64_t> done = done_windows(run);
    const double quantile = interval_quantile(static_cast<std::int64_t>(done.size()));
    std::vector<Interval> intervals; // (points)
    intervals.reserve(run.points.size());
    for (std::size_t point = 0; point < run.points.size(); ++point) {
        intervals.push_back(interval_of(run, metric, point, done, quantile));
        intervals.back().mean = value_of(run, metric, point);
    }
    return intervals;
}

std::vector<Interval> bands_of(const Run& run, const Metric& metric)
{
    const auto dense = metric.band_of_ratio ? dense_point(run) : std::nullopt;
    if (!metric.band_of_ratio)
        return intervals_of(run, metric);
    std::vector<Interval> bands = intervals_of(run, find_metric("perplexity_ratio_to_dense"));
    for (std::size_t point = 0; point < bands.size(); ++point) {
        const double of_dense = dense ? value_of(run, metric, *dense) : not_a_number;
        bands[point].mean = value_of(run, metric, point);
        bands[point].low *= of_dense;
        bands[point].high *= of_dense;
    }
    return bands;
}

std::optional<std::size_t> best_point(const Run& run)
{
    double highest = 0;
    for (const SweepPoint& point : run.points)
        highest = std::max(highest, point.sparsity);
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        const SweepPoint& point = run.points[i];
        const bool counts = point.sparsity == highest && point.policy != "dense" && std::isfinite(point.perplexity);
        if (counts && (!best || point.perplexity < run.points[*best].perplexity))
            best = i;
    }
    return best;
}

} // namespace keepset
