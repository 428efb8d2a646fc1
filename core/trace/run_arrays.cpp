#include "core/trace/run_arrays.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace keepset::trace {

namespace {

    using Measure = RunArray<double>;
    using Hash = RunArray<std::uint64_t>;
    using Count = RunArray<std::int64_t>;

    constexpr std::array<Measure, 11> measures { {
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
    constexpr std::array<Count, 4> counts { {
        { "/sweep/kept_entries", true, true, 0, "entries", "Cache entries kept, over all layers and key/value heads",
            &Run::kept_entries },
        { "/sweep/first_kept", true, false, 0, "rows", "Rows (layers x kv heads) that kept position 0",
            &Run::first_kept },
        { "/sweep/tied_rows", true, false, 0, "rows", "Rows (layers x kv heads) where equal scores met at the cut",
            &Run::tied_rows },
        { "/sweep/window_begin", false, false, -1, "tokens",
            "First token of the window in the text's tokens; -1 until it is done", &Run::window_begin },
    } };

    std::size_t scored_of(const Run& run)
    {
        return static_cast<std::size_t>(std::max<std::int64_t>(run.target - 1, 0));
    }

    /// Calls `use` with every index of a window in an array (rows, windows, inner).
    template <typename Use>
    void for_column(std::size_t size, const Run& run, std::int64_t window, std::size_t inner, const Use& use)
    {
        const std::size_t row = static_cast<std::size_t>(run.windows) * inner;
        for (std::size_t begin = static_cast<std::size_t>(window) * inner; begin < size; begin += row) {
            for (std::size_t index = begin; index < begin + inner; ++index)
                use(index);
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
    run.token_nll.assign(
        per_token ? run.points.size() * static_cast<std::size_t>(run.windows) * scored_of(run) : 0, std::nanf(""));
}

void clear_unfinished(Run& run)
{
    for (std::int64_t window = 0; window < run.windows; ++window) {
        if (window_done(run, window))
            continue;
        for_run_arrays([&](const auto& array) {
            auto& values = run.*array.member;
            for_column(values.size(), run, window, 1, [&](std::size_t index) { values[index] = array.fill; });
        });
        for_column(run.token_nll.size(), run, window, scored_of(run),
            [&](std::size_t index) { run.token_nll[index] = std::nanf(""); });
    }
}

bool has_all_arrays(const Run& run)
{
    bool all = true;
    for_run_arrays([&](const auto& array) { all = all && (run.*array.member).size() == array.size(run); });
    return all;
}

void copy_window(const Run& from, std::int64_t window, Run& to)
{
    for_run_arrays([&](const auto& array) {
        const auto& values = from.*array.member;
        auto& into = to.*array.member;
        for_column(into.size(), to, window, 1, [&](std::size_t index) { into[index] = values.at(index); });
    });
    for_column(to.token_nll.size(), to, window, scored_of(to),
        [&](std::size_t index) { to.token_nll[index] = from.token_nll.at(index); });
    to.done.at(static_cast<std::size_t>(window)) = 1;
}

bool same_window(const Run& a, const Run& b, std::int64_t window)
{
    bool same = true;
    for_column(a.window_nll.size(), a, window, 1, [&](std::size_t index) {
        const double left = a.window_nll[index];
        const double right = b.window_nll.at(index);
        same = same && (left == right || (std::isnan(left) && std::isnan(right)));
        same = same && a.keep_hash.at(index) == b.keep_hash.at(index);
        same = same && a.target_hash.at(index) == b.target_hash.at(index);
    });
    return same;
}

} // namespace keepset::trace
