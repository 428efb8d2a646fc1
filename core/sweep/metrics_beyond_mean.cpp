#include "core/sweep/metrics_beyond_mean.h"

#include <utility>

namespace keepset {

namespace {

    /// A count of the run by point and window; NaN where the run has none.
    template <std::vector<std::int64_t> Run::*Array>
    double counted(const Run& run, std::size_t point, std::int64_t window)
    {
        const std::vector<std::int64_t>& values = run.*Array;
        const std::size_t index = point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window);
        return index < values.size() ? static_cast<double>(values[index]) : not_a_number;
    }

    /// Rows that a count of is given, as a share of all.
    template <std::vector<std::int64_t> Run::*Array>
    double share_of_rows(const Run& run, std::size_t point, std::int64_t window)
    {
        return counted<Array>(run, point, window) / static_cast<double>(run.evicting_rows());
    }

    double key_tokens_in(const Run& run, std::int64_t window)
    {
        return element<&Run::window_key_count>(run, 0, window); // of all points the same
    }

    using InWindow = double (*)(const Run& run, std::size_t point, std::int64_t window);

    /// What is made of the tokens' ΔNLL to dense, in nats.
    Metric of_differences(std::string name, std::string title, std::string description, InWindow in_window)
    {
        Metric line;
        line.name = std::move(name);
        line.title = line.quantity = std::move(title);
        line.description = std::move(description);
        line.unit = "nats";
        line.values = Metric::Values::difference;
        line.paired = true;
        line.in_window = in_window;
        return line;
    }

    /// A percentile of the tokens' KL.
    Metric of_divergences(std::string name, std::string title, std::string description, InWindow in_window)
    {
        Metric line = of_differences(std::move(name), std::move(title), std::move(description), in_window);
        line.values = Metric::Values::positive;
        line.paired = false;
        return line;
    }

    std::vector<Metric> metrics_of_tails()
    {
        return {
            of_differences("delta_p50", "ΔNLL of the median token",
                "Half of the window's tokens lose less than this to dense, mean over windows",
                element<&Run::window_delta_p50>),
            of_differences("delta_p95", "ΔNLL, 95th percentile",
                "One token in twenty loses more than this to dense, mean over windows",
                element<&Run::window_delta_p95>),
            of_differences("delta_p99", "ΔNLL, 99th percentile",
                "One token in a hundred loses more than this to dense, mean over windows",
                element<&Run::window_delta_p99>),
            { .name = "over_one_nat",
                .title = "tokens that lose over 1 nat",
                .quantity = "Tokens with ΔNLL above 1 nat",
                .unit = "",
                .description = "Share of the scored tokens that lose more than 1 nat to dense",
                .values = Metric::Values::share,
                .in_window = element<&Run::window_over_one_nat> },
            of_divergences("kl_p50", "KL of the median token",
                "Half of the window's predictions are nearer to dense's than this, mean over windows",
                element<&Run::window_kl_p50>),
            of_divergences("kl_p95", "KL, 95th percentile",
                "One prediction in twenty is further from dense's than this, mean over windows",
                element<&Run::window_kl_p95>),
            of_divergences("kl_p99", "KL, 99th percentile",
                "One prediction in a hundred is further from dense's than this, mean over windows",
                element<&Run::window_kl_p99>),
        };
    }

    std::vector<Metric> metrics_of_some_tokens()
    {
        std::vector<Metric> lines {
            of_differences("key_nll", "ΔNLL on key tokens",
                "Mean loss minus dense's over the tokens that need the context, as dense alone judges",
                element<&Run::window_key_nll>),
            of_differences("near_nll", "ΔNLL of targets 1–32", "Mean loss minus dense's right behind the context",
                element<&Run::window_near_nll>),
            of_differences("middle_nll", "ΔNLL of targets 33–128",
                "Mean loss minus dense's of the targets 33 to 128 behind the context",
                element<&Run::window_middle_nll>),
            of_differences("far_nll", "ΔNLL of targets from 129 on",
                "Mean loss minus dense's of the targets from the 129th behind the context on",
                element<&Run::window_far_nll>),
        };
        lines.front().weight = key_tokens_in;
        return lines;
    }

    std::vector<Metric> metrics_of_keep_sets()
    {
        return {
            { .name = "evicted_everywhere",
                .title = "tokens evicted everywhere",
                .quantity = "Context tokens that no row keeps",
                .unit = "tokens",
                .description = "Context tokens of which no layer and kv head keeps anything, mean over windows",
                .in_window = counted<&Run::evicted_everywhere> },
            { .name = "first_kept",
                .title = "rows that hold token 0",
                .quantity = "Rows that hold token 0",
                .unit = "",
                .description = "Share of the rows (layer and kv head) that keep the first context token",
                .values = Metric::Values::share,
                .lower_is_better = false,
                .in_window = share_of_rows<&Run::first_kept> },
            { .name = "last_kept",
                .title = "rows that hold the newest token",
                .quantity = "Rows that hold the newest token",
                .unit = "",
                .description = "Share of the rows (layer and kv head) that keep the last context token",
                .values = Metric::Values::share,
                .lower_is_better = false,
                .in_window = share_of_rows<&Run::last_kept> },
        };
    }

} // namespace

std::vector<Metric> metrics_beyond_mean()
{
    std::vector<Metric> lines = metrics_of_tails();
    for (const auto& group : { metrics_of_some_tokens(), metrics_of_keep_sets() })
        lines.insert(lines.end(), group.begin(), group.end());
    return lines;
}

} // namespace keepset
