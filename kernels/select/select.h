#pragma once

#include <cstdint>

namespace keepset::kernels {

/// Role of a position in a keep set, as /keep/<n>/label stores it.
enum class RowLabel : std::uint8_t { evicted, kept, local, important, bridge, sink };

/// How many positions of every row get which label, filled in this order; a count beyond what is left takes what is
/// left. Equal scores (-0 equals 0) and equal distances go to the earlier position (SEMANTICS 3 and 4).
struct SelectPlan {
    std::int64_t sinks = 0; ///< the first positions
    std::int64_t local = 0; ///< the most recent of the rest
    std::int64_t highest = 0; ///< the highest scores of the rest: important
    std::int64_t median = 0; ///< scores closest to the lower median of the rest, by distance in double: bridges
    std::uint8_t* labels = nullptr; ///< out: (rows, context), RowLabel
};

/// Every plan is carried out on every row. Scores and labels are on the device that runs the function.
struct SelectInputs {
    const float* scores = nullptr; ///< (rows, context) contiguous
    std::int64_t rows = 0;
    std::int64_t context = 0; ///< below 2^31
    const SelectPlan* plans = nullptr; ///< (plan_count), on the host
    std::int64_t plan_count = 0;
};

/// Labels all rows by all plans. Returns the first score that is not finite, as row · context + position, or -1; where
/// there is one the labels mean nothing. The reference: whole sorts.
std::int64_t select_reference(const SelectInputs& inputs);

/// The same labels on `threads` CPU threads, in time of O(rows · context · plans), vectorised (the widest instruction
/// set this processor has, chosen at run time). Takes 24 · context bytes a thread.
std::int64_t select_cpu(const SelectInputs& inputs, int threads);

/// The candidates of a plan's ranking and how many of them it takes.
struct SelectCounts {
    std::int64_t first = 0; ///< candidates are the positions [first, end)
    std::int64_t end = 0;
    std::int64_t highest = 0;
    std::int64_t median = 0;
};

/// A count cut to what there is. Always inlined, as counts_of is: select_row.h is compiled for wide instructions, and a
/// copy emitted there could be the one that the linker keeps for every processor.
[[gnu::always_inline]] constexpr std::int64_t count_within(std::int64_t count, std::int64_t room)
{
    return count < 0 ? 0 : count < room ? count : room;
}

/// The plan's counts cut to what a row has.
[[gnu::always_inline]] constexpr SelectCounts counts_of(const SelectPlan& plan, std::int64_t context)
{
    SelectCounts counts;
    counts.first = count_within(plan.sinks, context);
    counts.end = context - count_within(plan.local, context - counts.first);
    counts.highest = count_within(plan.highest, counts.end - counts.first);
    counts.median = count_within(plan.median, counts.end - counts.first - counts.highest);
    return counts;
}

} // namespace keepset::kernels
