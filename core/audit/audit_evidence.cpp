#include "core/audit/audit_evidence.h"

#include "core/run.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace keepset::audit_checks {

namespace {

    using Windows = std::vector<std::size_t>;

    const char* const earlier = " (The file is of an earlier version and does not hold all that this check looks at.)";

    std::string window_name(std::size_t window) { return "window " + grouped(static_cast<std::int64_t>(window)); }

    std::size_t cell(const Run& run, std::size_t point, std::size_t window)
    {
        return point * static_cast<std::size_t>(run.windows) + window;
    }

    bool all_finite(const std::vector<double>& values, const Windows& done)
    {
        return std::ranges::all_of(done, [&](std::size_t w) { return std::isfinite(values[w]); });
    }

    /// The first window where a value is above `limit` or not a number.
    std::optional<std::size_t> first_above(const std::vector<double>& values, const Windows& done, double limit)
    {
        const auto found = std::ranges::find_if(done, [&](std::size_t w) { return !(values[w] <= limit); });
        return found == done.end() ? std::nullopt : std::optional(*found);
    }

    Outcome not_finite() { return undecided("The importance is not finite everywhere (see finite)."); }

    /// Mean over the windows that are done of counts by point, as a share of the rows of layers that evict.
    double share_of_rows(
        const Run& run, const std::vector<std::int64_t>& counts, std::size_t point, const Windows& done)
    {
        std::int64_t sum = 0;
        for (const std::size_t w : done)
            sum += counts[cell(run, point, w)];
        return static_cast<double>(sum)
            / static_cast<double>(run.evicting_rows() * static_cast<std::int64_t>(done.size()));
    }

    /// Points for which `is_meant`, grouped by method: "H2O at 50% and 90% and CAB at 90%"; empty: none.
    template <typename IsMeant> std::string points_where(const Run& run, const IsMeant& is_meant)
    {
        std::vector<std::string> methods;
        std::vector<std::vector<std::string>> at;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (!(run.points[i].sparsity > 0) || !is_meant(i))
                continue;
            const std::string title = title_of(run.points[i].policy);
            if (methods.empty() || methods.back() != title) {
                methods.push_back(title);
                at.emplace_back();
            }
            at.back().push_back(percent(run.points[i].sparsity));
        }
        for (std::size_t i = 0; i < methods.size(); ++i)
            methods[i] += " at " + listed(at[i]);
        return methods.empty() ? std::string() : joined(methods);
    }

    /// Windows that begin before another one ends; empty: none.
    std::string overlap(const Run& run, const Windows& done)
    {
        Windows order = done;
        const auto& begin = run.window_begin;
        std::ranges::stable_sort(order, {}, [&](std::size_t w) { return begin[w]; });
        const std::int64_t piece = run.context + run.target - (run.bos ? 1 : 0);
        for (std::size_t i = 1; i < order.size(); ++i) {
            if (begin[order[i]] < begin[order[i - 1]] + piece)
                return "Tokens are scored twice: " + window_name(order[i]) + " begins at token "
                    + grouped(begin[order[i]]) + " of the text, where " + window_name(order[i - 1])
                    + " has not ended, which began at " + grouped(begin[order[i - 1]]) + ".";
        }
        return {};
    }

    /// What the budgets of all rows of a point add up to.
    std::int64_t budget_of_rows(const Run& run, std::size_t point, std::size_t window)
    {
        if (run.budget_entries.empty()) // of a version where every row had the same
            return run.points[point].budget * run.layers * run.kv_heads;
        return run.budget_entries[cell(run, point, window)];
    }

    std::string budget_words(const Run& run, std::size_t point, std::size_t window)
    {
        const std::int64_t k = run.points[point].budget;
        const std::int64_t rows = run.layers * run.kv_heads;
        const std::int64_t all = budget_of_rows(run, point, window);
        return grouped(all)
            + (all == k * rows ? " (" + grouped(k) + " in each of " + counted(rows, "row") + ")"
                               : " in " + counted(rows, "row") + " together");
    }

    /// Two methods that are to keep as many and whose budgets add up to different numbers; empty: none.
    std::string other_sizes(const Run& run, const Windows& done)
    {
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            const SweepPoint& point = run.points[i];
            const auto first = static_cast<std::size_t>(
                std::ranges::find(run.points, point.budget, &SweepPoint::budget) - run.points.begin());
            const auto w = std::ranges::find_if(done, [&](std::size_t window) {
                return budget_of_rows(run, first, window) != budget_of_rows(run, i, window);
            });
            if (w != done.end())
                return point_name(run.points[first]) + " and " + point_name(point) + " had caches of different sizes, "
                    + grouped(budget_of_rows(run, first, *w)) + " entries and " + grouped(budget_of_rows(run, i, *w))
                    + " in " + window_name(*w) + ", though both are to keep " + grouped(point.budget)
                    + " in a row: their losses differ by that, too.";
        }
        return {};
    }

    /// What was read or scored in a window that does not stand there in the text; empty: nothing.
    std::string strange_ids(const Run& run, std::size_t w)
    {
        if (run.read_hash[w] != run.text_read_hash[w]) {
            const auto other = std::ranges::find(run.text_read_hash, run.read_hash[w]);
            if (other == run.text_read_hash.end())
                return "In " + window_name(w) + " the model read other tokens than stand there in the text.";
            return "The tokens that were read as " + window_name(w) + " are those of "
                + window_name(static_cast<std::size_t>(other - run.text_read_hash.begin()))
                + ": a window was scored twice, and another one not at all.";
        }
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            if (run.target_hash[cell(run, i, w)] != run.text_target_hash[w])
                return point_name(run.points[i]) + " was not scored on the tokens that follow in the text in "
                    + window_name(w) + ": its targets are shifted or of another place.";
        }
        return {};
    }

} // namespace

std::string point_name(const SweepPoint& point) { return title_of(point.policy) + " at " + percent(point.sparsity); }

Outcome check_budget(const Run& run, const Windows& done)
{
    if (run.kept_entries.empty() || done.empty())
        return not_applicable("The run does not say how many entries were kept.");
    const bool has_choice = !run.selected_hash.empty();
    for (std::size_t i = 0; i < run.points.size(); ++i) {
        const std::int64_t k = run.points[i].budget;
        const std::string name = point_name(run.points[i]);
        if (k < 0 || k > run.context)
            return failed(
                name + " has a budget of " + grouped(k) + " in a context of " + counted(run.context, "token") + ".");
        for (const std::size_t w : done) {
            const std::int64_t kept = run.kept_entries[cell(run, i, w)];
            if (kept != budget_of_rows(run, i, w))
                return failed(name + " kept " + grouped(kept) + " entries in " + window_name(w)
                    + " where its budget is " + budget_words(run, i, w)
                    + ": methods were compared at different sizes of the cache.");
            if (has_choice && run.keep_hash[cell(run, i, w)] != run.selected_hash[cell(run, i, w)])
                return failed("In " + window_name(w) + " the cache held other entries than " + name
                    + " chose, though as many: keys were gathered for another head or layer.");
        }
    }
    if (const std::string words = other_sizes(run, done); !words.empty())
        return warned(words);
    if (!has_choice)
        return passed(std::string("Every keep set has exactly its budget of distinct positions.") + earlier);
    return passed("The cache held exactly the budget of distinct positions, and those that each policy chose.");
}

namespace {

    /// Of a run that ranks by the last queries: ", that from the last 32 queries to 32".
    std::string last_words(const Run& run, const std::string& link)
    {
        const std::int64_t last = run.importance.last_queries();
        return last == 0 ? std::string() : link + "that from " + queries_of(run.importance) + " to " + grouped(last);
    }

} // namespace

Outcome check_mass(const Run& run, const Windows& done)
{
    if (run.mass_error.empty() || done.empty())
        return not_applicable("The run does not say what its importance sums to.");

    const bool is_whole = !run.least_importance.empty() && !run.most_of_visible.empty();
    if (!all_finite(run.mass_error, done)
        || (is_whole && !(all_finite(run.least_importance, done) && all_finite(run.most_of_visible, done))))
        return not_finite();
    if (const auto w = first_above(run.mass_error, done, mass_tolerance))
        return failed("The attention that all keys received does not sum to the context" + last_words(run, " and ")
            + ": it was not normalised by its final softmax, or rows are missing (off by "
            + significant(run.mass_error[*w], 6) + " of it in " + window_name(*w) + ").");
    if (!is_whole)
        return passed(std::string("The attention that all keys received sums to the context.") + earlier);
    for (const std::size_t w : done) {
        if (!(run.least_importance[w] >= 0))
            return failed("A key received " + significant(run.least_importance[w], 6) + " in " + window_name(w)
                + ", less than nothing: its importance is no sum of probabilities.");
    }
    if (const auto w = first_above(run.most_of_visible, done, 1 + mass_tolerance))
        return failed("A key received " + significant(run.most_of_visible[*w], 6)
            + " times what the queries that see it can give, in " + window_name(*w)
            + ": its importance is no sum of probabilities.");
    return passed("The attention that all keys received sums to the context" + last_words(run, ", ")
        + ", and none received less than nothing or more than its queries can give.");
}

Outcome check_causality(const Run& run, const Windows& done)
{
    if (run.last_key_importance.empty() || done.empty())
        return not_applicable("The run does not hold what the last key received.");
    if (!all_finite(run.last_key_importance, done))
        return not_finite();
    if (const auto w = first_above(run.last_key_importance, done, 1 + mass_tolerance))
        return failed("The last key received more attention than its own query can give: earlier queries look ahead, "
                      "the mask is not causal ("
            + significant(run.last_key_importance[*w], 6) + " in " + window_name(*w) + ").");
    std::string detail = "The last key received attention from its own query alone, as causal attention must.";

    for (const Outcome& outcome : { judge_perturbation(run.context_change, "context token", "logit"),
             judge_perturbation(run.target_change, "target token", "scored row") }) {
        if (outcome.status == CheckStatus::fail)
            return outcome;
        detail += " " + outcome.detail;
    }
    return passed(detail);
}

Outcome check_targets(const Run& run, const Windows& done)
{
    const bool has_text = !run.text_read_hash.empty() && !run.read_hash.empty() && !run.text_target_hash.empty()
        && !run.window_begin.empty();
    if (run.target_hash.empty() || done.empty() || (run.points.size() < 2 && !has_text))
        return not_applicable("There are no two points whose targets could be compared.");
    for (const std::size_t w : done) {
        for (std::size_t i = 1; i < run.points.size(); ++i) {
            if (run.target_hash[cell(run, i, w)] != run.target_hash[w])
                return failed(point_name(run.points[i]) + " was scored on other tokens than "
                    + point_name(run.points[0]) + " in " + window_name(w) + ": their perplexities cannot be compared.");
        }
    }
    if (!has_text)
        return passed(std::string("All methods were scored on the same tokens.") + earlier);
    if (const std::string words = overlap(run, done); !words.empty())
        return failed(words);
    for (const std::size_t w : done) {
        if (const std::string words = strange_ids(run, w); !words.empty())
            return failed(words);
    }
    return passed("All methods were scored on the same tokens, those of the text, each once.");
}

Outcome check_sink(const Run& run, const Windows& done)
{
    if (run.first_token_mass.empty() || run.first_kept.empty() || done.empty())
        return not_applicable("The run does not say which rows kept token 0.");
    if (!all_finite(run.first_token_mass, done))
        return not_finite();
    double mass = 0;
    for (const std::size_t w : done)
        mass += run.first_token_mass[w] / static_cast<double>(done.size());
    const std::string holds = sink_words(mass);
    if (!(mass > large_sink))
        return passed(holds + ", less than the 20% from which dropping it is warned of.");
    const std::string dropped
        = points_where(run, [&](std::size_t i) { return share_of_rows(run, run.first_kept, i, done) < 0.5; });
    if (!dropped.empty())
        return warned(
            holds + ", and most rows drop it with " + dropped + ": expect collapse there, whatever the score.");
    return passed(holds + ", and every policy keeps it in most rows.");
}

Outcome check_ties(const Run& run, const Windows& done)
{
    constexpr double many = 0.01; // of the rows: SEMANTICS 8
    if (run.tied_rows.empty() || done.empty())
        return not_applicable("The run does not say where equal scores met at the cut.");
    double most = 0;
    for (std::size_t i = 0; i < run.points.size(); ++i)
        most = std::max(most, share_of_rows(run, run.tied_rows, i, done));
    const std::string tied
        = points_where(run, [&](std::size_t i) { return share_of_rows(run, run.tied_rows, i, done) > many; });
    if (!tied.empty())
        return warned("Equal scores met at the cut in more than 1% of the rows (up to " + significant(100 * most)
            + "%), so that position decided there: " + tied + ".");
    return passed("Equal scores met at the cut in " + significant(100 * most) + "% of the rows at most.");
}

} // namespace keepset::audit_checks
