#include "core/policy/definition.h"

#include "core/error.h"
#include "core/policy/policy.h"

#include <map>
#include <optional>

namespace keepset::policy {

namespace {

    /// kernels::select_reference row by row, so that a stop is answered between rows.
    std::int64_t label_by_sorting(const kernels::SelectInputs& inputs, const std::stop_token& stop)
    {
        for (std::int64_t row = 0; row < inputs.rows; ++row) {
            if (stop.stop_requested())
                throw Cancelled {};
            const std::int64_t begin = row * inputs.context;
            std::vector<kernels::SelectPlan> plans(inputs.plans, inputs.plans + inputs.plan_count);
            for (kernels::SelectPlan& plan : plans)
                plan.labels += begin;
            const std::int64_t bad = kernels::select_reference(
                { inputs.scores + begin, 1, inputs.context, plans.data(), inputs.plan_count });
            if (bad >= 0)
                return begin + bad;
        }
        return -1;
    }

} // namespace

std::uint64_t definition_hash(const ScoreRows& rows, const SelectRequest& request)
{
    return hash_of(select(rows, std::span(&request, 1), [&rows](const kernels::SelectInputs& inputs) {
        return label_by_sorting(inputs, rows.stop);
    }).front());
}

std::vector<std::uint64_t> definition_hashes(const std::function<ScoreRows()>& make_rows,
    std::span<const SelectRequest> requests, std::span<const std::uint64_t> keep_hashes, std::int64_t context)
{
    std::vector<std::uint64_t> hashes(keep_hashes.begin(), keep_hashes.end());
    std::map<std::pair<std::int64_t, std::uint64_t>, std::vector<std::size_t>> alike; // by budget and hash
    for (std::size_t index = 0; index < requests.size(); ++index) {
        const std::int64_t budget = budget_for(find(requests[index].policy.name), requests[index], context);
        if (budget < context)
            alike[{ budget, keep_hashes[index] }].push_back(index);
    }
    std::optional<ScoreRows> rows;
    for (const auto& [key, points] : alike) {
        for (std::size_t at = 0; points.size() > 1 && at < points.size(); ++at) {
            if (!rows)
                rows = make_rows();
            hashes[points[at]] = definition_hash(*rows, requests[points[at]]);
        }
    }
    return hashes;
}

bool same_by_definition(const RowScores& row, const SelectRequest& a, const SelectRequest& b)
{
    ScoreRows rows { { Granularity::head, row.importance, row.gqa }, 1, 1, static_cast<std::int64_t>(row.scores.size()),
        row.scores, {}, row.own };
    rows.mass.assign(row.scores.size(), 0.0);
    return definition_hash(rows, a) == definition_hash(rows, b);
}

} // namespace keepset::policy
