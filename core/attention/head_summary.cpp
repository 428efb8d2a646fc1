#include "core/head_summary.h"

#include "core/attention/last_importance.h"
#include "core/error.h"
#include "core/words.h"
#include "kernels/ops/score_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

namespace keepset {

namespace {

    /// Calls `work` with every row, on some threads where there is enough to do. Throws Cancelled.
    void for_rows(std::int64_t rows, std::int64_t context, int threads, const std::stop_token& stop,
        const std::function<void(std::int64_t)>& work)
    {
        constexpr std::int64_t worth_a_thread = 1 << 20; // values
        std::atomic<std::int64_t> next = 0;
        const auto run = [&] {
            for (std::int64_t row = next++; row < rows && !stop.stop_requested(); row = next++)
                work(row);
        };
        const auto all = threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
        {
            std::vector<std::jthread> others;
            for (int i = 1; i < all && rows * context > worth_a_thread; ++i)
                others.emplace_back(run); // NOLINT(performance-inefficient-vector-operation): few, and each a thread
            run();
        }
        if (stop.stop_requested())
            throw Cancelled {};
    }

    /// importance (context), cumulative
    HeadNumbers numbers_of(std::span<const float> importance)
    {
        double sum = 0;
        double logs = 0; // Σ A ln A
        double places = 0; // Σ j·A
        for (std::size_t j = 0; j < importance.size(); ++j) {
            const auto value = static_cast<double>(importance[j]);
            sum += value;
            logs += value == 0 ? 0 : value * std::log(value);
            places += static_cast<double>(j) * value;
        }
        HeadNumbers numbers;
        if (!std::isfinite(logs) || !(sum > 0)) // an A is negative, infinite or no number
            return numbers;
        const auto context = static_cast<double>(importance.size());
        numbers.sink_mass = static_cast<double>(importance[0]) / sum;
        numbers.entropy = std::max(0.0, std::log(sum) - logs / sum); // below 0 by rounding alone
        if (importance.size() > 1)
            numbers.entropy_share = numbers.entropy / std::log(context);
        numbers.mean_distance = (context - 1) / 2 - places / sum;
        return numbers;
    }

    void check_sizes(const Analysis& a)
    {
        const bool right = a.layers > 0 && a.heads > 0 && a.kv_heads > 0 && a.heads % a.kv_heads == 0 && a.context > 0
            && static_cast<std::int64_t>(a.importance.size()) == a.layers * a.heads * a.context;
        if (!right)
            throw Error(ErrorKind::internal,
                "Importance of " + std::to_string(a.importance.size()) + " values is not that of "
                    + counted(a.layers, "layer") + ", " + counted(a.heads, "head") + " and "
                    + counted(a.context, "token") + ".");
    }

    std::string shape_of(const KeepSet& set)
    {
        return counted(set.layers, "layer") + ", " + counted(set.kv_heads, "kv head") + " and "
            + counted(set.context, "token");
    }

    std::span<const Label> row_of(const KeepSet& set, std::int64_t row)
    {
        const auto context = static_cast<std::size_t>(set.context);
        return std::span(set.labels).subspan(static_cast<std::size_t>(row) * context, context);
    }

    /// Layers between two looks at what is there: some hundredths of a second of work, and rows for many threads.
    std::int64_t layers_together(const Analysis& a)
    {
        constexpr std::int64_t values = 1 << 22;
        return std::max<std::int64_t>(1, values / (a.heads * a.context));
    }

    /// Bins of one row of the model's query heads; `importance` (layers, heads, context): by what they are told.
    void fill_bins(const Analysis& analysis, const std::vector<float>& importance, std::int64_t row, HeadSummaries& all)
    {
        const kernels::ScoreRowsInputs inputs { importance.data(), nullptr, analysis.layers, analysis.heads,
            analysis.kv_heads, analysis.context, 1, kernels::GroupReduction::mean,
            all.importance == Importance::mean_received, analysis.windows.empty() ? nullptr : analysis.windows.data() };
        const float* const values = importance.data() + row * analysis.context;
        for (std::int64_t bin = 0; bin < all.bins; ++bin) {
            const std::int64_t begin = all.begin_of(bin);
            const std::int64_t end = all.begin_of(bin + 1);
            double largest = -std::numeric_limits<double>::infinity();
            double sum = 0;
            for (std::int64_t j = begin; j < end; ++j) {
                auto value = static_cast<double>(values[j]);
                if (inputs.per_query)
                    value /= static_cast<double>(kernels::queries_that_see(inputs, row / analysis.heads, j));
                largest = std::isnan(largest) || largest >= value ? largest : value; // a NaN comes through
                sum += value;
            }
            const auto index = static_cast<std::size_t>(row * all.bins + bin);
            all.largest[index] = static_cast<float>(largest);
            all.means[index] = static_cast<float>(sum / static_cast<double>(end - begin));
        }
    }

} // namespace

HeadSummaries summarise_heads(
    const Analysis& analysis, const Importance& importance, std::int64_t most_bins, int threads, const HeadsTask& task)
{
    check_sizes(analysis);
    const auto last = importance_of(analysis, importance); // held while it is read
    const std::vector<float>& values = last ? *last : analysis.importance;
    HeadSummaries all { analysis.layers, analysis.heads, analysis.context, importance, {}, 0, {}, {}, 0 };
    all.bins = std::clamp<std::int64_t>(most_bins, 1, analysis.context);
    const std::int64_t rows = analysis.layers * analysis.heads;
    all.numbers.resize(static_cast<std::size_t>(rows));
    all.largest.resize(static_cast<std::size_t>(rows * all.bins));
    all.means.resize(static_cast<std::size_t>(rows * all.bins));
    const auto context = static_cast<std::size_t>(analysis.context);
    const std::int64_t together = layers_together(analysis);
    while (!all.is_finished()) {
        const std::int64_t first = all.layers_done * analysis.heads;
        const std::int64_t layers = std::min(together, all.layers - all.layers_done);
        for_rows(layers * analysis.heads, analysis.context, threads, task.stop, [&](std::int64_t row) {
            const auto index = static_cast<std::size_t>(first + row);
            all.numbers[index] = numbers_of(std::span(analysis.importance).subspan(index * context, context));
            fill_bins(analysis, values, first + row, all);
        });
        all.layers_done += layers;
        if (task.partly)
            task.partly(all);
    }
    return all;
}

std::vector<double> kept_shares(
    const Analysis& analysis, const KeepSet& keep_set, int threads, const std::stop_token& stop)
{
    check_sizes(analysis);
    if (keep_set.layers != analysis.layers || keep_set.kv_heads != analysis.kv_heads
        || keep_set.context != analysis.context)
        throw Error(ErrorKind::usage,
            "A keep set of " + shape_of(keep_set) + " says nothing about an analysis of another shape.");
    const std::int64_t rows = analysis.layers * analysis.heads;
    const std::int64_t group = analysis.heads / analysis.kv_heads;
    std::vector<double> shares(static_cast<std::size_t>(rows));
    for_rows(rows, analysis.context, threads, stop, [&](std::int64_t row) {
        const std::span<const Label> labels = row_of(keep_set, row / group);
        const float* const values = analysis.importance.data() + row * analysis.context;
        double kept = 0;
        for (std::size_t j = 0; j < labels.size(); ++j)
            kept += labels[j] == Label::evicted ? 0.0 : static_cast<double>(values[j]);
        shares[static_cast<std::size_t>(row)] = kept / static_cast<double>(analysis.context);
    });
    return shares;
}

std::vector<double> jaccard_by_head(const KeepSet& a, const KeepSet& b, int threads, const std::stop_token& stop)
{
    if (a.layers != b.layers || a.kv_heads != b.kv_heads || a.context != b.context)
        throw Error(ErrorKind::usage,
            "Keep sets of " + shape_of(a) + " and of " + shape_of(b) + " cannot be compared head by head.");
    const std::int64_t rows = a.layers * a.kv_heads;
    std::vector<double> alike(static_cast<std::size_t>(rows));
    for_rows(rows, a.context, threads, stop,
        [&](std::int64_t row) { alike[static_cast<std::size_t>(row)] = jaccard(row_of(a, row), row_of(b, row)); });
    return alike;
}

} // namespace keepset
