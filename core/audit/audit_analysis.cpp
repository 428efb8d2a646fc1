#include "core/audit.h"
#include "core/audit/checks.h"
#include "core/error.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace keepset {

namespace {

    using namespace audit_checks;

    std::span<const float> row_of(const Analysis& a, std::int64_t row)
    {
        return std::span(a.importance)
            .subspan(static_cast<std::size_t>(row * a.context), static_cast<std::size_t>(a.context));
    }

    std::string row_name(const Analysis& a, std::int64_t row)
    {
        return "layer " + std::to_string(row / a.heads) + ", head " + std::to_string(row % a.heads);
    }

    bool is_uneven(const std::string& policy)
    {
        try {
            return sharing_of(parse_policy(policy)) != Sharing::none;
        } catch (const Error&) { // of another version
            return false;
        }
    }

    Outcome check_budget(const Analysis& a)
    {
        if (a.keep_sets.empty())
            return not_applicable("No keep set is stored with the analysis.");
        for (const KeepSet& keep : a.keep_sets) {
            const auto rows = static_cast<std::size_t>(keep.layers * keep.kv_heads);
            const auto context = static_cast<std::size_t>(keep.context);
            const std::string name = title_of(keep.policy);
            if (keep.context != a.context || keep.labels.size() != rows * context)
                return failed("The keep set of " + name + " has " + grouped(keep.context)
                    + " positions a row where the " + "context has " + grouped(a.context) + ".");
            if (is_uneven(keep.policy)) // its rows share a budget: what they keep is shown
                continue;
            for (std::size_t row = 0; row < rows; ++row) {
                if (!keep.evicts(static_cast<std::int64_t>(row) / keep.kv_heads))
                    continue;
                const auto labels = std::span(keep.labels).subspan(row * context, context);
                const auto kept = keep.context - std::count(labels.begin(), labels.end(), Label::evicted);
                if (kept != keep.budget)
                    return failed(name + " kept " + grouped(kept) + " positions in row "
                        + grouped(static_cast<std::int64_t>(row)) + " where its budget is " + grouped(keep.budget)
                        + ".");
            }
        }
        return passed("Every keep set has exactly its budget of distinct positions.");
    }

    /// Of importance by the last queries, (layers, heads, context): each of them gives one, to keys that it can see.
    Outcome check_mass_of(const Analysis& a, const Importance& mode, const std::vector<float>& values, double& largest)
    {
        const std::int64_t last = mode.last_queries();
        for (std::int64_t row = 0; row < a.layers * a.heads; ++row) {
            double sum = 0;
            for (std::int64_t j = 0; j < a.context; ++j) {
                const double value = values[static_cast<std::size_t>(row * a.context + j)];
                const auto most = static_cast<double>(std::min(last, a.context - j));
                sum += value;
                if (!(value >= 0 && value <= most * (1 + mass_tolerance)))
                    return failed("Key " + grouped(j) + " of " + row_name(a, row) + " received " + significant(value, 6)
                        + " from " + queries_of(mode) + ", which can give it from 0 to " + significant(most, 6) + ".");
            }
            const double error = std::abs(sum / static_cast<double>(last) - 1);
            if (!(error <= mass_tolerance))
                return failed("The attention that the keys of " + row_name(a, row) + " received from "
                    + queries_of(mode) + " sums to " + significant(sum, 8) + " where it must be " + grouped(last)
                    + ".");
            largest = std::max(largest, error);
        }
        return passed({});
    }

    Outcome check_mass(const Analysis& a)
    {
        double largest = 0;
        for (std::int64_t row = 0; row < a.layers * a.heads; ++row) {
            double sum = 0;
            const auto importance = row_of(a, row);
            for (std::size_t j = 0; j < importance.size(); ++j) {
                const auto queries = static_cast<double>(importance.size() - j); // that see key j
                sum += importance[j];
                if (!(importance[j] >= 0 && importance[j] <= queries * (1 + mass_tolerance)))
                    return failed("Key " + grouped(static_cast<std::int64_t>(j)) + " of " + row_name(a, row)
                        + " received " + significant(importance[j], 6) + " where its "
                        + grouped(static_cast<std::int64_t>(queries)) + (queries > 1 ? " queries" : " query")
                        + " can give from 0 to " + significant(queries, 6) + ".");
            }
            const double error = std::abs(sum / static_cast<double>(a.context) - 1);
            if (!(error <= mass_tolerance))
                return failed("The attention that the keys of " + row_name(a, row) + " received sums to "
                    + significant(sum, 8) + " where the context is " + grouped(a.context)
                    + ": it was not normalised by its final softmax, or rows are missing.");
            largest = std::max(largest, error);
        }
        for (const auto& [mode, values] : a.by_last_queries) {
            if (const Outcome found = check_mass_of(a, mode, *values, largest); found.status != CheckStatus::pass)
                return found;
        }
        std::string also;
        for (const auto& [mode, values] : a.by_last_queries)
            also += ", that from " + queries_of(mode) + " to " + grouped(mode.last_queries());
        return passed("The attention that all keys received sums to the context in every head" + also
            + " (largest relative error " + significant(largest) + ").");
    }

    Outcome check_causality(const Analysis& a)
    {
        double largest = 0;
        for (std::int64_t row = 0; row < a.layers * a.heads; ++row) {
            const double last = row_of(a, row).back();
            if (!(last <= 1 + mass_tolerance))
                return failed("The last key of " + row_name(a, row) + " received " + significant(last, 6)
                    + ", more than its own query can give: earlier queries look ahead, the mask is not causal.");
            largest = std::max(largest, last);
        }
        const Outcome tried = judge_perturbation(a.perturbation, "token", "logit");
        if (tried.status == CheckStatus::fail)
            return tried;
        return passed("The last key received attention from its own query alone (at most " + significant(largest)
            + "). " + tried.detail);
    }

    Outcome check_sink(const Analysis& a)
    {
        if (a.keep_sets.empty())
            return not_applicable("No keep set is stored with the analysis.");
        double mass = 0;
        for (std::int64_t row = 0; row < a.layers * a.heads; ++row)
            mass += row_of(a, row).front() / static_cast<double>(a.context * a.layers * a.heads);
        const std::string holds = sink_words(mass);
        if (!(mass > large_sink))
            return passed(holds + ", less than the 20% from which dropping it is warned of.");
        std::vector<std::string> dropped;
        for (const KeepSet& keep : a.keep_sets) {
            std::int64_t dropping = 0;
            std::int64_t rows = 0;
            for (std::int64_t row = 0; row < keep.layers * keep.kv_heads; ++row) {
                if (!keep.evicts(row / keep.kv_heads))
                    continue;
                ++rows;
                dropping += keep.labels[static_cast<std::size_t>(row * keep.context)] == Label::evicted ? 1 : 0;
            }
            if (2 * dropping > rows)
                dropped.push_back(title_of(keep.policy) + " at " + percent(keep.request.sparsity));
        }
        if (!dropped.empty())
            return warned(holds + ", and most rows drop it with " + joined(dropped)
                + ": expect collapse there, whatever the score.");
        return passed(holds + ", and every keep set has it in most rows.");
    }

    Outcome check_finite(const Analysis& a)
    {
        const auto finite = [](float value) { return std::isfinite(value); };
        const auto finite_values = [&](const auto& mode) { return std::ranges::all_of(*mode.second, finite); };
        if (!std::all_of(a.importance.begin(), a.importance.end(), finite)
            || !std::ranges::all_of(a.by_last_queries, finite_values)
            || !std::all_of(a.row_lse.begin(), a.row_lse.end(), finite))
            return failed("Importance or log-sum-exp has a value that is no finite number: the model or its dtype "
                          "overflowed.");
        if (const std::string overflow = overflow_words(a.largest_hidden); !overflow.empty())
            return failed("In this text " + overflow + ". Try float32, or other weights.");
        return passed("Every value is a finite number.");
    }

} // namespace

void add_keep_sets(Analysis& analysis, std::vector<KeepSet> sets)
{
    std::ranges::move(sets, std::back_inserter(analysis.keep_sets));
    analysis.audit = audit(analysis);
}

AuditReport audit(const Analysis& analysis)
{
    const bool empty = analysis.context < 1 || analysis.heads < 1
        || static_cast<std::int64_t>(analysis.importance.size()) != analysis.layers * analysis.heads * analysis.context;
    if (empty)
        return report_of({}, "The analysis holds no importance.");
    const Outcome finite = check_finite(analysis);
    const auto only_if_finite = [&](const Outcome& outcome) {
        return finite.status == CheckStatus::pass || outcome.status == CheckStatus::not_applicable
            ? outcome
            : undecided("This cannot be told, because values are not finite (see finite).");
    };
    return report_of(
        { { "finite", finite }, { "budget", check_budget(analysis) }, { "mass", only_if_finite(check_mass(analysis)) },
            { "causality", only_if_finite(check_causality(analysis)) },
            { "sink", only_if_finite(check_sink(analysis)) } },
        "An analysis scores no target tokens; this is checked on a sweep.");
}

} // namespace keepset
