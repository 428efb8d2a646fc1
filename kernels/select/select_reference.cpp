#include "kernels/select/select.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace keepset::kernels {

namespace {

    /// One row while it is filled.
    struct Filling {
        std::span<const float> scores; ///< (context)
        std::span<std::uint8_t> labels; ///< (context)

        bool is_free(std::size_t position) const
        {
            return labels[position] == static_cast<std::uint8_t>(RowLabel::evicted);
        }
        void set(std::size_t position, RowLabel label) const { labels[position] = static_cast<std::uint8_t>(label); }
        /// Positions without a label, ascending.
        std::vector<std::size_t> rest() const
        {
            std::vector<std::size_t> positions;
            for (std::size_t position = 0; position < scores.size(); ++position) {
                if (is_free(position))
                    positions.push_back(position);
            }
            return positions;
        }
    };

    /// Labels the first `count` of positions that are ordered as a component wants them.
    void take_first(const Filling& row, const std::vector<std::size_t>& ordered, std::int64_t count, RowLabel label)
    {
        for (std::size_t index = 0; index < ordered.size() && static_cast<std::int64_t>(index) < count; ++index)
            row.set(ordered[index], label);
    }

    /// Labels the `count` of positions that are least by `key`, the earlier one of equal ones.
    template <typename Key>
    void take_least(const Filling& row, std::vector<std::size_t>& rest, std::int64_t count, RowLabel label, Key key)
    {
        const auto before = [&](std::size_t a, std::size_t b) {
            const auto of_a = key(a);
            const auto of_b = key(b);
            return of_a < of_b || (of_a == of_b && a < b);
        };
        const auto taken = std::min(static_cast<std::ptrdiff_t>(count), std::ssize(rest));
        std::nth_element(rest.begin(), rest.begin() + taken, rest.end(), before);
        take_first(row, rest, count, label);
    }

    void take_highest(const Filling& row, std::int64_t count)
    {
        if (count == 0)
            return;
        std::vector<std::size_t> rest = row.rest();
        take_least(row, rest, count, RowLabel::important, [&](std::size_t position) { return -row.scores[position]; });
    }

    void take_median(const Filling& row, std::int64_t count)
    {
        std::vector<std::size_t> rest = row.rest();
        if (rest.empty() || count == 0)
            return;
        std::vector<float> ascending; // (rest)
        ascending.reserve(rest.size());
        for (const std::size_t position : rest)
            ascending.push_back(row.scores[position]);
        std::sort(ascending.begin(), ascending.end());
        const double median = ascending[(ascending.size() - 1) / 2];
        // In double a difference of two float32 scores makes hardly any ties of its own.
        const auto distance = [&](std::size_t position) { return std::abs(row.scores[position] - median); };
        take_least(row, rest, count, RowLabel::bridge, distance);
    }

    void fill(const Filling& row, const SelectPlan& plan)
    {
        std::fill(row.labels.begin(), row.labels.end(), static_cast<std::uint8_t>(RowLabel::evicted));
        std::vector<std::size_t> rest = row.rest();
        take_first(row, rest, plan.sinks, RowLabel::sink);
        rest = row.rest();
        std::reverse(rest.begin(), rest.end());
        take_first(row, rest, plan.local, RowLabel::local);
        take_highest(row, plan.highest);
        take_median(row, plan.median);
    }

} // namespace

std::int64_t select_reference(const SelectInputs& inputs)
{
    for (std::int64_t index = 0; index < inputs.rows * inputs.context; ++index) {
        if (!std::isfinite(inputs.scores[index]))
            return index;
    }
    const auto context = static_cast<std::size_t>(inputs.context);
    for (std::int64_t plan = 0; plan < inputs.plan_count; ++plan) {
        for (std::int64_t row = 0; row < inputs.rows; ++row) {
            const std::int64_t begin = row * inputs.context;
            fill({ { inputs.scores + begin, context }, { inputs.plans[plan].labels + begin, context } },
                inputs.plans[plan]);
        }
    }
    return -1;
}

} // namespace keepset::kernels
