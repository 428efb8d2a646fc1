#include "core/audit/distinct.h"

#include "core/policy/definition.h"
#include "core/policy/words.h"
#include "core/sweep/statistics.h"

#include <algorithm>
#include <cmath>
#include <random>

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

    struct Identity {
        bool losses = true;
        bool keep_sets = true;
    };

    /// Whether two points are identical in every window that is done.
    Identity compare_points(const Run& run, std::size_t a, std::size_t b)
    {
        Identity same;
        bool any = false;
        const auto windows = static_cast<std::size_t>(run.windows);
        for (std::size_t w = 0; w < windows; ++w) {
            if (!window_done(run, static_cast<std::int64_t>(w)))
                continue;
            any = true;
            const double loss = run.window_nll[a * windows + w];
            // Two overflows are no evidence of one keep set.
            same.losses = same.losses && std::isfinite(loss) && loss == run.window_nll[b * windows + w];
            same.keep_sets = same.keep_sets && !run.keep_hash.empty()
                && run.keep_hash[a * windows + w] == run.keep_hash[b * windows + w];
        }
        return any ? same : Identity { false, false };
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
            return same_by_definition(
                run.points[a].policy, run.points[b].policy, request_of(run, run.points[a]), run.context);
        const auto windows = static_cast<std::size_t>(run.windows);
        const std::vector<std::int64_t> done = done_windows(run);
        return std::all_of(done.begin(), done.end(), [&](std::int64_t window) {
            const auto w = static_cast<std::size_t>(window);
            return run.definition_hash[a * windows + w] == run.definition_hash[b * windows + w];
        });
    }

    /// Sparsities at which two methods are identical though their definitions differ.
    struct Twins {
        std::vector<double> losses;
        std::vector<double> keep_sets;
        std::int64_t compared = 0;
    };

    Twins find_twins(const Run& run, const std::string& a, const std::string& b)
    {
        Twins twins;
        for (std::size_t i = 0; i < run.points.size(); ++i) {
            const SweepPoint& point = run.points[i];
            const auto other = b == "dense" ? dense_point(run) : find_point(run, b, point.sparsity);
            if (point.policy != a || !(point.sparsity > 0) || !other)
                continue;
            ++twins.compared;
            const Identity same = compare_points(run, i, *other);
            if (!(same.losses || same.keep_sets) || same_definition(run, i, *other))
                continue;
            (same.losses ? twins.losses : twins.keep_sets).push_back(point.sparsity);
        }
        return twins;
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
    std::int64_t compared = 0;
    std::vector<std::string> same_losses;
    std::vector<std::string> same_keep_sets;
    for (std::size_t i = 0; i < known.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const bool later_is_dense = known[i] == "dense";
            const Twins twins = find_twins(run, known[later_is_dense ? j : i], known[later_is_dense ? i : j]);
            compared += twins.compared;
            if (!twins.losses.empty())
                same_losses.push_back(pair_at(known[j], known[i], twins.losses));
            if (!twins.keep_sets.empty())
                same_keep_sets.push_back(pair_at(known[j], known[i], twins.keep_sets));
        }
    }
    if (compared == 0 || run.windows_done() == 0)
        return not_applicable("No two methods at a sparsity above 0 to compare.");
    std::string detail;
    if (!same_losses.empty())
        detail = "Identical losses in every window, to the last digit: " + listed(same_losses)
            + ". Different keep sets cannot give that: the policy was never applied.";
    if (!same_keep_sets.empty())
        detail += (detail.empty() ? "" : " ") + ("Identical keep sets: " + listed(same_keep_sets))
            + ". Their definitions differ, so one of the policies did not do its own selection.";
    return detail.empty() ? passed("Methods whose definitions differ keep different tokens and have different losses.")
                          : failed(detail);
}

} // namespace keepset::audit_checks
