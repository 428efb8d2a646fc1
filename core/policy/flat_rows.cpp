#include "core/flat_rows.h"

#include "core/error.h"
#include "core/policy/flat_scores.h"
#include "core/policy/own_scores.h"
#include "core/policy/policy.h"
#include "core/policy/select_parts.h"
#include "core/words.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <map>

namespace keepset {

std::string policy::flat_score_of(const PolicySpec& policy)
{
    for (const std::string& name : scores_of(policy)) {
        if (find(parse_policy(name).name).may_be_flat)
            return name;
    }
    return {};
}

at::Tensor policy::count_flat(const at::Tensor& scores, double least_spread)
{
    return (scores.amax(1) - scores.amin(1)).le(scores.mean(1).abs() * least_spread).sum();
}

double least_spread(const std::string& dtype)
{
    return dtype == "bfloat16" ? 0x1p-7 : dtype == "float16" ? 0x1p-10 : 1e-4;
}

std::int64_t flat_rows(const Analysis& analysis, const KeepSet& set)
{
    const auto scores = analysis.own_scores.find(policy::flat_score_of(set.request.policy));
    if (scores == analysis.own_scores.end() || set.budget >= set.context)
        return 0;
    const std::vector<float> rows
        = policy::shared_rows(scores->second, policy::view_of(analysis), set.request.granularity, set.evicting);
    const at::Tensor all = policy::borrowed_rows(rows, analysis.context);
    const std::int64_t layers = set.evicting.empty() ? set.layers : std::ssize(set.evicting);
    return policy::count_flat(all, least_spread(analysis.provenance.dtype)).item<std::int64_t>() * layers * set.kv_heads
        / all.size(0);
}

namespace {

    /// Rows by policy: those that are flat, of how many.
    using Counts = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;

    void take_larger(std::pair<std::int64_t, std::int64_t>& known, std::int64_t flat, std::int64_t rows)
    {
        if (known.second == 0 || flat * known.second > known.first * rows)
            known = { flat, rows };
    }

    std::vector<std::string> sentences(const Counts& counts, const std::string& dtype)
    {
        std::vector<std::string> said;
        for (const auto& [policy, rows] : counts) {
            const auto& [flat, all] = rows;
            if (flat > 0)
                said.push_back(title_of(policy) + " ranks by the lengths of keys, and in "
                    + (flat == all ? "every row" : grouped(flat) + " of " + counted(all, "row"))
                    + " these differ by less than " + significant(100 * least_spread(dtype), 2)
                    + "% of their mean: rounding decides there what it keeps.");
        }
        return said;
    }

} // namespace

std::vector<std::string> notes_about(const Analysis& analysis)
{
    Counts counts;
    for (const KeepSet& set : analysis.keep_sets) {
        const std::int64_t layers = set.evicting.empty() ? set.layers : std::ssize(set.evicting);
        try {
            take_larger(counts[set.policy], flat_rows(analysis, set), layers * set.kv_heads);
        } catch (const Error&) { // a policy of another version
            continue;
        }
    }
    return sentences(counts, analysis.provenance.dtype);
}

std::vector<std::string> notes_about(const Run& run)
{
    Counts counts;
    const std::vector<std::int64_t> done = done_windows(run);
    const auto windows = static_cast<std::size_t>(run.windows);
    for (std::size_t point = 0; point < run.points.size() && !run.flat_rows.empty(); ++point) {
        std::int64_t flat = 0;
        for (const std::int64_t window : done)
            flat += run.flat_rows[point * windows + static_cast<std::size_t>(window)];
        take_larger(counts[run.points[point].policy], flat, std::ssize(done) * run.evicting_rows());
    }
    return sentences(counts, run.provenance.dtype);
}

} // namespace keepset
