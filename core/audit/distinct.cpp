#include "core/audit/distinct.h"

#include "core/audit/twins.h"
#include "core/error.h"
#include "core/findings.h"
#include "core/policy/definition.h"
#include "core/sweep/statistics.h"
#include "core/words.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace keepset::audit_checks {

namespace {

    /// Scores that bring out a difference of definition: oldest first, newest first, and several by chance.
    std::vector<std::vector<float>> probe_rows(std::int64_t context)
    {
        std::mt19937_64 generator(20240229);
        std::vector<std::vector<float>> rows(8, std::vector<float>(static_cast<std::size_t>(context)));
        for (std::size_t r = 0; r < rows.size(); ++r) {
            for (std::size_t j = 0; j < rows[r].size(); ++j) {
                const auto place = static_cast<float>(j);
                rows[r][j] = r == 0 ? -place : r == 1 ? place : static_cast<float>(generator() >> 40U);
            }
        }
        return rows;
    }

    SelectRequest request_of(const Run& run, const SweepPoint& point)
    {
        SelectRequest request;
        request.budget = point.budget;
        request.sparsity = point.sparsity;
        request.rounding = run.rounding;
        request.seed = run.provenance.seed;
        return request;
    }

    /// Whether two points keep the same by their definitions: on the scores of every window done, where the run tells;
    /// else on scores that bring out a difference.
    bool same_definition(const Run& run, std::size_t a, std::size_t b)
    {
        if (run.definition_hash.empty())
            return same_by_definition(run.points[a].policy, run.points[b].policy,
                request_of(run, run.points[run.points[a].policy == "dense" ? b : a]), run.context);
        const auto windows = static_cast<std::size_t>(run.windows);
        const std::vector<std::int64_t> done = done_windows(run);
        return std::all_of(done.begin(), done.end(), [&](std::int64_t window) {
            const auto w = static_cast<std::size_t>(window);
            return run.definition_hash[a * windows + w] == run.definition_hash[b * windows + w];
        });
    }

    /// Sparsities at which two methods are identical though their definitions differ.
    struct Found {
        std::vector<double> losses;
        std::vector<double> chance; ///< losses that may be equal by chance
        std::vector<double> unseen; ///< losses of keep sets that may differ only where no target can see
        std::vector<double> keep_sets;
    };

    std::int64_t scored_tokens(const Run& run) { return (run.target - 1) * run.windows_done(); }

    /// Whether losses of different keep sets may be equal by chance: of few tokens that every policy is sure of, or of
    /// one window, whose loss is one number of a millionth's grain, among the pairs of very many points.
    bool can_be_chance(const Run& run)
    {
        return scored_tokens(run) < least_tokens || (run.windows_done() < 2 && run.points.size() > most_points);
    }

    /// By two methods, in the order of the run, the later one first.
    std::map<std::pair<std::size_t, std::size_t>, Found> find_identical(
        const Run& run, const std::vector<std::string>& known)
    {
        std::map<std::string, std::size_t> places;
        for (std::size_t place = 0; place < known.size(); ++place)
            places[known[place]] = place;
        std::map<std::pair<std::size_t, std::size_t>, Found> all;
        for (const Twin& twin : find_twins(run)) {
            const SweepPoint& a = run.points[twin.first];
            const SweepPoint& b = run.points[twin.second];
            const SweepPoint& point = a.policy == "dense" ? b : a;
            if (same_definition(run, twin.first, twin.second))
                continue;
            const auto [low, high] = std::minmax(places.at(a.policy), places.at(b.policy));
            Found& found = all[{ high, low }];
            const bool chance = twin.losses && !twin.keep_sets && !run.keep_hash.empty() && can_be_chance(run);
            const bool unseen = twin.losses && !twin.keep_sets && !run.keep_hash.empty() && run.reach > 0;
            (unseen               ? found.unseen
                    : chance      ? found.chance
                    : twin.losses ? found.losses
                                  : found.keep_sets)
                .push_back(point.sparsity);
        }
        return all;
    }

} // namespace

bool same_by_definition(const std::string& a, const std::string& b, const SelectRequest& request, std::int64_t context)
{
    try {
        SelectRequest of_a = request;
        SelectRequest of_b = request;
        of_a.policy = parse_policy(a);
        of_b.policy = parse_policy(b);
        for (const std::vector<float>& scores : probe_rows(context)) {
            const RowScores row { .scope = {}, .scores = scores, .mass = {} };
            if (!policy::same_by_definition(row, of_a, of_b))
                return false;
        }
        return true;
    } catch (const Error&) {
        return false;
    }
}

Outcome check_distinct(const Run& run)
{
    const std::vector<std::string> known = methods(run);
    if (!has_comparisons(run) || run.windows_done() == 0)
        return not_applicable("No two methods at a sparsity above 0 to compare.");
    std::vector<std::string> same_losses;
    std::vector<std::string> same_keep_sets;
    std::vector<std::string> chance;
    std::vector<std::string> unseen;
    for (const auto& [places, found] : find_identical(run, known)) {
        const std::string& later = known[places.first];
        const std::string& earlier = known[places.second];
        if (!found.losses.empty())
            same_losses.push_back(pair_at(earlier, later, found.losses));
        if (!found.keep_sets.empty())
            same_keep_sets.push_back(pair_at(earlier, later, found.keep_sets));
        if (!found.chance.empty())
            chance.push_back(pair_at(earlier, later, found.chance));
        if (!found.unseen.empty())
            unseen.push_back(pair_at(earlier, later, found.unseen));
    }
    std::string detail;
    if (!same_losses.empty())
        detail = "Identical losses in every window, to the last digit: " + listed(same_losses)
            + ". Different keep sets cannot give that: the policy was never applied.";
    if (!same_keep_sets.empty())
        detail += (detail.empty() ? "" : " ") + ("Identical keep sets: " + listed(same_keep_sets))
            + ". Their definitions differ, so one of the policies did not do its own selection.";
    if (!detail.empty())
        return failed(detail);
    if (!chance.empty())
        return warned("Identical losses though different tokens were kept: " + listed(chance) + ". With "
            + counted(scored_tokens(run), "scored token") + " in " + counted(run.windows_done(), "window")
            + " that can be chance: score at least " + std::to_string(least_tokens)
            + " tokens, in two windows or more.");
    if (!unseen.empty())
        return passed("Identical losses though different tokens were kept: " + listed(unseen)
            + ". All layers have sliding windows, through which a target sees the last " + grouped(run.reach) + " of "
            + counted(run.context, "context token") + " at most: what is kept before them changes nothing.");
    return passed("Methods whose definitions differ keep different tokens and have different losses.");
}

} // namespace keepset::audit_checks
