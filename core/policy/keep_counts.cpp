#include "core/keep_counts.h"

#include <algorithm>
#include <functional>

namespace keepset {

namespace {

    constexpr auto evicted = static_cast<std::size_t>(Label::evicted);

    /// Of `whole`; all 0 where that is 0.
    std::array<double, label_count> shares_of(std::array<std::int64_t, label_count> counts, std::int64_t whole)
    {
        std::array<double, label_count> shares {};
        counts[evicted] = 0;
        for (std::size_t label = 0; label < shares.size() && whole > 0; ++label)
            shares[label] = static_cast<double>(counts[label]) / static_cast<double>(whole);
        return shares;
    }

} // namespace

std::array<std::int64_t, label_count> label_counts(std::span<const Label> labels)
{
    std::array<std::int64_t, label_count> counts {};
    constexpr std::size_t part = 128; // whose counts fit into a byte, so that many labels are looked at in a step
    for (std::size_t begin = 0; begin < labels.size(); begin += part) {
        const std::span<const Label> some = labels.subspan(begin, std::min(part, labels.size() - begin));
        for (std::size_t label = 0; label < counts.size(); ++label) {
            std::uint8_t count = 0;
            for (const Label one : some)
                count = static_cast<std::uint8_t>(count + (one == static_cast<Label>(label) ? 1 : 0));
            counts[label] += count;
        }
    }
    return counts;
}

std::array<double, label_count> label_shares(std::span<const Label> labels, std::int64_t begin, std::int64_t end)
{
    begin = std::max<std::int64_t>(0, begin);
    end = std::min(end, static_cast<std::int64_t>(labels.size()));
    if (begin >= end)
        return {};
    const auto part = labels.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    return shares_of(label_counts(part), end - begin);
}

std::array<double, label_count> shares_of_budget(const RowSelection& selection)
{
    return shares_of(selection.counts, selection.budget);
}

std::vector<std::int64_t> kept_by_row(const KeepSet& set)
{
    std::vector<std::int64_t> kept;
    for (auto row = set.labels.begin(); row != set.labels.end(); row += set.context)
        kept.push_back(set.context - std::count(row, row + set.context, Label::evicted));
    return kept;
}

bool rows_are_alike(const KeepSet& set)
{
    const std::vector<std::int64_t> kept = kept_by_row(set);
    return std::ranges::adjacent_find(kept, std::not_equal_to {}) == kept.end();
}

std::array<std::int64_t, 4> membership_counts(std::span<const Membership> members)
{
    std::array<std::int64_t, 4> counts {};
    for (const Membership member : members)
        ++counts[static_cast<std::size_t>(member)];
    return counts;
}

} // namespace keepset
