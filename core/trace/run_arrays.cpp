#include "core/trace/run_arrays.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset::trace {

namespace {

    using Measure = RunArray<double>;
    using Hash = RunArray<std::uint64_t>;
    using Count = RunArray<std::int64_t>;

    constexpr std::array<Measure, 23> measures { {
        { "/sweep/window_nll", true, true, not_a_number, "nats",
            "Negative log-likelihood summed over the scored tokens of the window; NaN until it is done",
            &Run::window_nll },
        { "/sweep/window/kl", true, false, not_a_number, "nats",
            "KL divergence from dense to the method, mean over the scored tokens of the window", &Run::window_kl },
        { "/sweep/window/top1", true, false, not_a_number, "share",
            "Share of the window's scored tokens where the likeliest token is dense's", &Run::window_top1 },
        { "/sweep/window/kept_mass", true, false, not_a_number, "share",
            "Share of the window's attention mass at kept positions", &Run::window_kept_mass },
        { "/sweep/window/seconds", true, false, not_a_number, "s", "The point's share of the window's target pass",
            &Run::window_seconds },
        { "/sweep/window/delta_p50", true, false, not_a_number, "nats",
            "Median of the scored tokens' loss minus dense's; percentiles are interpolated linearly",
            &Run::window_delta_p50 },
        { "/sweep/window/delta_p95", true, false, not_a_number, "nats",
            "95th percentile of the scored tokens' loss minus dense's", &Run::window_delta_p95 },
        { "/sweep/window/delta_p99", true, false, not_a_number, "nats",
            "99th percentile of the scored tokens' loss minus dense's", &Run::window_delta_p99 },
        { "/sweep/window/kl_p50", true, false, not_a_number, "nats",
            "Median of the scored tokens' KL divergence from dense to the method", &Run::window_kl_p50 },
        { "/sweep/window/kl_p95", true, false, not_a_number, "nats",
            "95th percentile of the scored tokens' KL divergence from dense to the method", &Run::window_kl_p95 },
        { "/sweep/window/kl_p99", true, false, not_a_number, "nats",
            "99th percentile of the scored tokens' KL divergence from dense to the method", &Run::window_kl_p99 },
        { "/sweep/window/over_one_nat", true, false, not_a_number, "share",
            "Share of the scored tokens whose loss is more than 1 nat above dense's", &Run::window_over_one_nat },
        { "/sweep/window/key_nll", true, false, not_a_number, "nats",
            "Loss minus dense's, mean over the window's key tokens; NaN where it has none", &Run::window_key_nll },
        { "/sweep/window/key_count", true, false, not_a_number, "tokens",
            "Key tokens: scored ones that need the context, by the dense model alone; the same for all points",
            &Run::window_key_count },
        { "/sweep/window/near_nll", true, false, not_a_number, "nats",
            "Loss minus dense's, mean over the targets 2 to 32 after the context", &Run::window_near_nll },
        { "/sweep/window/middle_nll", true, false, not_a_number, "nats",
            "Loss minus dense's, mean over the targets 33 to 128 after the context; NaN where there are none",
            &Run::window_middle_nll },
        { "/sweep/window/far_nll", true, false, not_a_number, "nats",
            "Loss minus dense's, mean over the targets from the 129th on; NaN where there are none",
            &Run::window_far_nll },
        { "/sweep/mass_error", false, true, not_a_number, "1",
            "Largest relative deviation of an importance row's sum from the context length", &Run::mass_error },
        { "/sweep/last_key_importance", false, true, not_a_number, "attention mass",
            "Largest importance of the last key; causal attention keeps it at or below 1", &Run::last_key_importance },
        { "/sweep/least_importance", false, false, not_a_number, "attention mass", "Smallest importance of a key",
            &Run::least_importance },
        { "/sweep/most_of_visible", false, false, not_a_number, "1",
            "Largest importance of a key over the number of queries that see it; at most 1", &Run::most_of_visible },
        { "/sweep/first_token_mass", false, false, not_a_number, "share", "Share of the attention mass at position 0",
            &Run::first_token_mass },
        { "/sweep/largest_hidden", false, false, not_a_number, "1",
            "Largest magnitude of a hidden state after the last layer", &Run::largest_hidden },
    } };
    constexpr std::array<Hash, 7> hashes { {
        { "/sweep/keep_hash", true, true, 0, "hash", "Hash of the kept positions of all rows; 0 until it is done",
            &Run::keep_hash },
        { "/sweep/target_hash", true, true, 0, "hash", "Hash of the ids of the scored tokens; 0 until it is done",
            &Run::target_hash },
        { "/sweep/definition_hash", true, false, 0, "hash",
            "Hash of the positions that the policy's definition keeps on the window's scores; 0 until it is done",
            &Run::definition_hash },
        { "/sweep/selected_hash", true, false, 0, "hash",
            "Hash of the positions that the policy chose; keep_hash is of those in the cache", &Run::selected_hash },
        { "/sweep/read_hash", false, false, 0, "hash",
            "Hash of the token ids that the model read: context, targets but the last", &Run::read_hash },
        { "/sweep/text_read_hash", false, false, 0, "hash", "Hash of the token ids that stand there in the text",
            &Run::text_read_hash },
        { "/sweep/text_target_hash", false, false, 0, "hash", "Hash of the token ids of the text that are to be scored",
            &Run::text_target_hash },
    } };
    constexpr std::array<Count, 8> counts { {
        { "/sweep/kept_entries", true, true, 0, "entries", "Cache entries kept, over all layers and key/value heads",
            &Run::kept_entries },
        { "/sweep/budget_entries", true, false, 0, "entries",
            "Cache entries that the budgets of all layers and key/value heads add up to", &Run::budget_entries },
        { "/sweep/first_kept", true, false, 0, "rows", "Rows (layers x kv heads) that kept position 0",
            &Run::first_kept },
        { "/sweep/last_kept", true, false, 0, "rows", "Rows (layers x kv heads) that kept the newest position",
            &Run::last_kept },
        { "/sweep/evicted_everywhere", true, false, 0, "tokens", "Context positions that no row kept",
            &Run::evicted_everywhere },
        { "/sweep/tied_rows", true, false, 0, "rows", "Rows (layers x kv heads) where equal scores met at the cut",
            &Run::tied_rows },
        { "/sweep/flat_rows", true, false, 0, "rows",
            "Rows (layers x kv heads) whose scores lie so close together that rounding decides what they keep",
            &Run::flat_rows },
        { "/sweep/window_begin", false, false, -1, "tokens",
            "First token of the window in the text's tokens; -1 until it is done", &Run::window_begin },
    } };

    std::size_t scored_of(const Run& run)
    {
        return static_cast<std::size_t>(std::max<std::int64_t>(run.target - 1, 0));
    }

    /// Calls `use` with every loss of a window's tokens: those of all points, then of the short pass.
    template <typename SomeRun, typename Use> void for_tokens(SomeRun& run, std::int64_t window, const Use& use)
    {
        const std::size_t scored = scored_of(run);
        const std::size_t row = static_cast<std::size_t>(run.windows) * scored;
        for (auto* losses : { &run.token_nll, &run.short_nll }) {
            for (std::size_t begin = static_cast<std::size_t>(window) * scored; begin < losses->size(); begin += row) {
                for (std::size_t index = begin; index < begin + scored; ++index)
                    use((*losses)[index]);
            }
        }
    }

} // namespace

std::span<const Measure> run_measures() { return measures; }
std::span<const Hash> run_hashes() { return hashes; }
std::span<const Count> run_counts() { return counts; }

void empty_arrays(Run& run, bool per_token)
{
    for_run_arrays([&](const auto& array) { (run.*array.member).assign(array.size(run), array.fill); });
    run.done.assign(static_cast<std::size_t>(run.windows), 0);
    const std::size_t losses = per_token ? static_cast<std::size_t>(run.windows) * scored_of(run) : 0; // of a point
    run.token_nll.assign(run.points.size() * losses, std::nanf(""));
    run.short_nll.assign(run.has_short_pass() ? losses : 0, std::nanf(""));
}

void clear_unfinished(Run& run)
{
    for (std::int64_t window = 0; window < run.windows; ++window) {
        if (window_done(run, window))
            continue;
        for_run_arrays([&](const auto& array) {
            auto column = column_of(run, array, window);
            std::ranges::fill(column, array.fill);
            set_column(run, array, window, column);
        });
        for_tokens(run, window, [](float& loss) { loss = std::nanf(""); });
    }
}

std::vector<float> token_nll_of(const Run& run, std::int64_t window)
{
    std::vector<float> losses;
    for_tokens(run, window, [&](float loss) { losses.push_back(loss); });
    return losses;
}

void set_token_nll(Run& run, std::int64_t window, const std::vector<float>& losses)
{
    std::size_t from = 0;
    for_tokens(run, window, [&](float& loss) { loss = losses.at(from++); });
}

bool has_all_arrays(const Run& run)
{
    bool all = true;
    for_run_arrays([&](const auto& array) { all = all && (run.*array.member).size() == array.size(run); });
    return all;
}

void copy_window(const Run& from, std::int64_t window, Run& to)
{
    for_run_arrays([&](const auto& array) { set_column(to, array, window, column_of(from, array, window)); });
    set_token_nll(to, window, token_nll_of(from, window));
    to.done.at(static_cast<std::size_t>(window)) = 1;
}

bool same_window(const Run& a, const Run& b, std::int64_t window)
{
    const std::size_t step = static_cast<std::size_t>(a.windows);
    for (auto at = static_cast<std::size_t>(window); at < a.window_nll.size(); at += step) {
        const bool both_nan = std::isnan(a.window_nll[at]) && std::isnan(b.window_nll.at(at));
        if ((a.window_nll[at] != b.window_nll.at(at) && !both_nan) || a.keep_hash.at(at) != b.keep_hash.at(at)
            || a.target_hash.at(at) != b.target_hash.at(at))
            return false;
    }
    return true;
}

} // namespace keepset::trace
