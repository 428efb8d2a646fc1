#include "core/audit/twins.h"

#include "core/sweep/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>

namespace keepset::audit_checks {

namespace {

    using Pairs = std::map<std::pair<std::size_t, std::size_t>, Twin>;

    /// Sparsities that differ by rounding only are one.
    double rounded(double sparsity) { return std::round(sparsity * 1e11) / 1e11; }

    template <typename T> void append(std::string& key, T value)
    {
        key.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    /// A point's values in the windows done; empty where one is not finite: two overflows are no evidence of anything.
    template <typename T> std::string key_of(
        const Run& run, const std::vector<T>& values, std::size_t point, const std::vector<std::int64_t>& done)
    {
        std::string key;
        for (const std::int64_t window : done) {
            const T value = values[point * static_cast<std::size_t>(run.windows) + static_cast<std::size_t>(window)];
            if (!std::isfinite(static_cast<double>(value)))
                return {};
            append(key, value == T {} ? T {} : value); // -0 equals 0
        }
        return key;
    }

    void add(const Run& run, std::size_t a, std::size_t b, bool Twin::*what, Pairs& pairs)
    {
        if (run.points[a].policy == run.points[b].policy)
            return;
        const auto ordered = std::minmax(a, b);
        Twin& twin = pairs[ordered];
        twin.first = ordered.first;
        twin.second = ordered.second;
        twin.*what = true;
    }

    void add_group(const Run& run, const std::vector<std::size_t>& group, bool Twin::*what, Pairs& pairs)
    {
        constexpr std::size_t few = 16; // all pairs of so many are looked at
        for (std::size_t a = 0; a < (group.size() <= few ? group.size() : 1); ++a) {
            for (std::size_t b = a + 1; b < group.size(); ++b)
                add(run, group[a], group[b], what, pairs);
        }
    }

    template <typename T>
    void add_identical(const Run& run, const std::vector<T>& values, bool Twin::*what, Pairs& pairs)
    {
        const std::vector<std::int64_t> done = done_windows(run);
        if (values.empty() || done.empty())
            return;
        const auto dense = dense_point(run);
        const std::string as_dense = dense ? key_of(run, values, *dense, done) : std::string();
        std::map<std::string, std::vector<std::size_t>> groups;
        for (std::size_t point = 0; point < run.points.size(); ++point) {
            std::string key = key_of(run, values, point, done);
            if (!(run.points[point].sparsity > 0) || key.empty())
                continue;
            if (dense && key == as_dense)
                add(run, *dense, point, what, pairs);
            append(key, rounded(run.points[point].sparsity));
            groups[std::move(key)].push_back(point);
        }
        for (const auto& [key, group] : groups)
            add_group(run, group, what, pairs);
    }

} // namespace

std::vector<Twin> find_twins(const Run& run)
{
    Pairs pairs;
    add_identical(run, run.window_nll, &Twin::losses, pairs);
    add_identical(run, run.keep_hash, &Twin::keep_sets, pairs);
    std::vector<Twin> twins;
    for (const auto& [points, twin] : pairs)
        twins.push_back(twin);
    return twins;
}

bool has_comparisons(const Run& run)
{
    std::map<double, std::string> first; // policy met first at a sparsity
    const bool dense = dense_point(run).has_value();
    for (const SweepPoint& point : run.points) {
        if (!(point.sparsity > 0))
            continue;
        const auto [place, fresh] = first.emplace(rounded(point.sparsity), point.policy);
        if (place->second != point.policy || (dense && point.policy != "dense"))
            return true;
    }
    return false;
}

} // namespace keepset::audit_checks
