#include "core/sweep/comparisons.h"

#include "core/policy/policy.h"
#include "core/run.h"
#include "core/sweep/protected_control.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace keepset {

namespace {

    constexpr double level = 0.05; // of a 95% interval

    /// Of `points`, ascending by sparsity, the one at `sparsity`.
    std::optional<std::size_t> at_sparsity(const Run& run, const std::vector<std::size_t>& points, double sparsity)
    {
        const auto found = std::lower_bound(points.begin(), points.end(), sparsity - same_sparsity,
            [&](std::size_t point, double wanted) { return run.points[point].sparsity < wanted; });
        if (found == points.end() || !(run.points[*found].sparsity < sparsity + same_sparsity))
            return std::nullopt;
        return *found;
    }

    Comparison turned(Comparison comparison)
    {
        Interval& d = comparison.difference;
        d.mean = -d.mean;
        std::swap(d.low, d.high);
        d.low = -d.low;
        d.high = -d.high;
        return comparison;
    }

} // namespace

Comparisons::Comparisons(const Run& run, const std::string& reference)
    : quantile_(interval_quantile(run.windows_done()))
{
    Points points;
    for (std::size_t i = 0; i < run.points.size(); ++i)
        points[run.points[i].policy].push_back(i);
    for (auto& [method, list] : points)
        std::stable_sort(list.begin(), list.end(),
            [&](std::size_t a, std::size_t b) { return run.points[a].sparsity < run.points[b].sparsity; });
    const std::string chance = reference == "dense" ? std::string() : protected_control_of(run);
    for (const auto& [other, list] : points) {
        if (other == reference || other == "dense") // dense has no sparsity to compare at
            continue;
        compare(run, points, other, reference);
        for (const std::string& method : { other, reference }) {
            if (method != chance)
                compare(run, points, method, chance);
        }
        for (const auto& [winner, loser] : { std::pair(other, reference), std::pair(reference, other) }) {
            const auto control = policy::control_of(winner, loser);
            if (!control)
                continue;
            compare(run, points, winner, canonical(control->policy));
            compare(run, points, canonical(control->policy), loser);
        }
    }
    correct();
}

void Comparisons::compare(const Run& run, const Points& points, const std::string& a, const std::string& b)
{
    if (!points.contains(a) || !points.contains(b) || made_.contains({ a, b }) || made_.contains({ b, a }))
        return;
    std::vector<Comparison>& made = made_[{ a, b }];
    for (const std::size_t point : points.at(a)) {
        const double sparsity = run.points[point].sparsity;
        // Dense stands beside every sparsity of the other.
        const auto other = b == "dense" ? dense_point(run) : at_sparsity(run, points.at(b), sparsity);
        if (sparsity > 0 && other)
            made.push_back(
                { sparsity, paired_interval(run, point, *other, quantile_), false, why_undecided(run, point, *other) });
    }
    if (a != "dense" && b != "dense" && may_tell_of_key_tokens(run))
        compare_key_tokens(run, points, a, b);
}

void Comparisons::compare_key_tokens(const Run& run, const Points& points, const std::string& a, const std::string& b)
{
    std::vector<Comparison>& made = of_key_tokens_[{ a, b }];
    const double quantile = interval_quantile(windows_with_key_tokens(run));
    for (const std::size_t point : points.at(a)) {
        const double sparsity = run.points[point].sparsity;
        const auto other = at_sparsity(run, points.at(b), sparsity);
        if (sparsity > 0 && other)
            made.push_back({ sparsity, paired_key_interval(run, point, *other, quantile), false,
                why_undecided(run, point, *other) });
    }
}

void Comparisons::correct()
{
    std::vector<Comparison*> tested;
    std::vector<double> p_values;
    for (Made* const made : { &made_, &of_key_tokens_ }) {
        for (auto& [pair, list] : *made) {
            for (Comparison& comparison : list) {
                if (std::isnan(comparison.difference.p_value))
                    continue;
                tested.push_back(&comparison);
                p_values.push_back(comparison.difference.p_value);
            }
        }
    }
    count_ = static_cast<std::int64_t>(tested.size());
    const std::vector<double> adjusted = holm_adjusted(p_values);
    for (std::size_t i = 0; i < tested.size(); ++i)
        tested[i]->stands = adjusted[i] < level;
}

std::vector<Comparison> Comparisons::between(const std::string& a, const std::string& b, Compared tokens) const
{
    const Made& made = tokens == Compared::all_tokens ? made_ : of_key_tokens_;
    const auto found = made.find({ a, b });
    if (found != made.end())
        return found->second;
    std::vector<Comparison> list;
    const auto other = made.find({ b, a });
    if (other != made.end())
        std::transform(other->second.begin(), other->second.end(), std::back_inserter(list), turned);
    return list;
}

} // namespace keepset
