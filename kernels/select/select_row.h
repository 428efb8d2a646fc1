// Selection on one row, for the instruction set that the including file is compiled for. That file defines
// KEEPSET_VARIANT (the namespace) and its name. Of other headers only functions that are always inlined are used
// here: one emitted by this file with wide instructions could be the copy that the linker keeps for everyone
// (tests/support/check_vector_objects.py).
//
// Nothing is sorted. Ordinals (of scores, then of distances to the median) are counted in bins of equal width; all bins
// below the one that a cut goes through are taken by comparison with its edge, and only the few positions in it are
// ordered exactly.
#include "kernels/select/select_variant.h"

namespace keepset::kernels::KEEPSET_VARIANT {
namespace {

    using Bits = std::uint32_t __attribute__((may_alias));

    constexpr auto evicted = static_cast<std::uint8_t>(RowLabel::evicted);

    /// Ordinals are counted in bins of 2^shift from `lowest` on.
    struct Bins {
        std::uint32_t* counts = nullptr; ///< (max_bins)
        std::uint32_t lowest = 0;
        std::uint32_t bins = 0;
        int shift = 0;
    };

    /// Where a cut through ordered values goes.
    struct Border {
        std::uint32_t edge = 0; ///< lowest ordinal of the bin
        std::uint32_t width = 0; ///< ordinals in the bin, minus one
        std::uint32_t count = 0; ///< positions in the bin
        std::uint32_t wanted = 0; ///< of them, how many come before the cut or on it
    };

    /// About eight positions a bin, for ordinals from lowest to highest.
    Bins bins_for(std::uint32_t lowest, std::uint32_t highest, std::int64_t positions, std::uint32_t* counts)
    {
        std::uint32_t bins = 16;
        while (bins < max_bins && 16 * static_cast<std::int64_t>(bins) <= positions)
            bins *= 2;
        int shift = 0;
        while ((highest - lowest) >> shift >= bins)
            ++shift;
        return { counts, lowest, bins, shift };
    }

    /// Two tables in turns, so that equal neighbours do not wait for each other; the second is `bins` behind the first.
    void count(const Bins& into, const std::uint32_t* ordinals, std::int64_t positions)
    {
        std::uint32_t* even = into.counts;
        std::uint32_t* odd = into.counts + into.bins;
        for (std::uint32_t bin = 0; bin < 2 * into.bins; ++bin)
            even[bin] = 0;
        std::int64_t at = 0;
        for (; at + 1 < positions; at += 2) {
            ++even[(ordinals[at] - into.lowest) >> into.shift];
            ++odd[(ordinals[at + 1] - into.lowest) >> into.shift];
        }
        if (at < positions)
            ++even[(ordinals[at] - into.lowest) >> into.shift];
        for (std::uint32_t bin = 0; bin < into.bins; ++bin)
            even[bin] += odd[bin];
    }

    /// The bin of the position with `rank` others before it.
    Border border_at(const Bins& of, std::uint32_t rank)
    {
        std::uint32_t bin = 0;
        std::uint32_t before = 0;
        while (before + of.counts[bin] <= rank)
            before += of.counts[bin++];
        return { of.lowest + (bin << of.shift), static_cast<std::uint32_t>((1ULL << of.shift) - 1), of.counts[bin],
            rank + 1 - before };
    }

    /// Positions in the border's bin, ascending. They are few, so whole blocks are looked at first.
    std::uint32_t list_border(
        const Border& border, const std::uint32_t* ordinals, std::int64_t positions, std::uint32_t* list)
    {
        constexpr std::int64_t block = 64;
        std::uint32_t found = 0;
        for (std::int64_t begin = 0; begin < positions; begin += block) {
            const std::int64_t end = begin + block < positions ? begin + block : positions;
            if (end - begin == block) {
                std::uint32_t hits = 0;
                for (std::int64_t at = 0; at < block; ++at)
                    hits |= static_cast<std::uint32_t>(ordinals[begin + at] - border.edge <= border.width);
                if (hits == 0)
                    continue;
            }
            for (std::int64_t at = begin; at < end; ++at) {
                list[found] = static_cast<std::uint32_t>(at);
                found += static_cast<std::uint32_t>(ordinals[at] - border.edge <= border.width);
            }
        }
        return found;
    }

    /// The value with `rank` others before it; `values` is used up.
    std::uint64_t value_at(std::uint64_t* values, std::uint32_t size, std::uint32_t rank)
    {
        constexpr int digit_bits = 6;
        while (true) {
            std::uint64_t different = 0;
            for (std::uint32_t at = 1; at < size; ++at)
                different |= values[at] ^ values[0];
            if (different == 0)
                return values[0];
            const int bits = 64 - __builtin_clzll(different);
            const int shift = bits > digit_bits ? bits - digit_bits : 0;
            std::uint32_t counts[1U << digit_bits] = {};
            const auto digit_of = [shift](std::uint64_t value) { return (value >> shift) & ((1U << digit_bits) - 1); };
            for (std::uint32_t at = 0; at < size; ++at)
                ++counts[digit_of(values[at])];
            std::uint32_t digit = 0;
            for (; counts[digit] <= rank; ++digit)
                rank -= counts[digit];
            std::uint32_t left = 0;
            for (std::uint32_t at = 0; at < size; ++at) {
                const std::uint64_t value = values[at];
                values[left] = value;
                left += static_cast<std::uint32_t>(digit_of(value) == digit);
            }
            size = left;
        }
    }

    /// The positions that a plan ranks.
    struct Candidates {
        const float* scores = nullptr; ///< (size)
        std::uint8_t* labels = nullptr; ///< (size)
        std::int64_t size = 0;
    };

    /// Labels the first candidates by ordinal, equal ones by position, up to the border's cut. `exact_of` gives what
    /// orders positions within the bin.
    template <typename ExactOf> void take(const Border& border, const std::uint32_t* ordinals, const Candidates& from,
        RowLabel role, const SelectScratch& scratch, const ExactOf& exact_of)
    {
        const auto label = static_cast<std::uint8_t>(role);
        std::uint8_t* labels = from.labels;
        for (std::int64_t at = 0; at < from.size; ++at)
            labels[at] = ordinals[at] < border.edge ? label : labels[at];
        const std::uint32_t size = list_border(border, ordinals, from.size, scratch.border);
        for (std::uint32_t at = 0; at < size; ++at)
            scratch.exact[at] = exact_of(scratch.border[at]);
        const std::uint64_t cut = value_at(scratch.exact, size, border.wanted - 1);
        std::uint32_t before = 0;
        for (std::uint32_t at = 0; at < size; ++at)
            before += static_cast<std::uint32_t>(exact_of(scratch.border[at]) < cut);
        std::uint32_t equal = border.wanted - before;
        for (std::uint32_t at = 0; at < size; ++at) {
            const std::uint64_t value = exact_of(scratch.border[at]);
            if (value < cut || (value == cut && equal > 0)) {
                labels[scratch.border[at]] = label;
                equal -= static_cast<std::uint32_t>(value == cut);
            }
        }
    }

    /// Ascending from the highest score on; -0 and 0 are one.
    std::uint32_t ordinal_of(std::uint32_t bits)
    {
        bits = bits == 0x80000000U ? 0 : bits;
        const auto sign = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
        return ~(bits ^ (sign | 0x80000000U));
    }

    float score_of(std::uint32_t ordinal)
    {
        const std::uint32_t ascending = ~ordinal;
        return __builtin_bit_cast(float, (ascending & 0x80000000U) != 0 ? ascending ^ 0x80000000U : ~ascending);
    }

    std::uint64_t exact_distance(float score, double median)
    {
        return __builtin_bit_cast(std::uint64_t, __builtin_fabs(score - median));
    }

    /// Ordinal of a distance: as float, which keeps the order but for new ties; those too near to need bins of their
    /// own are one.
    std::uint32_t cost_of(float score, double median, std::uint32_t nearest)
    {
        const auto distance = static_cast<float>(__builtin_fabs(score - median));
        const auto bits = __builtin_bit_cast(std::uint32_t, distance);
        return bits < nearest ? nearest : bits;
    }

    /// Ordinals of a row with their bins.
    struct RowOrder {
        Bins bins;
        std::uint32_t highest = 0; ///< ordinal
    };

    /// Returns the first position whose score is not finite, or -1.
    std::int64_t order_row(const float* scores, std::int64_t context, const SelectScratch& scratch, RowOrder& order)
    {
        constexpr std::uint32_t exponent = 0x7f800000U;
        const auto* bits = reinterpret_cast<const Bits*>(scores);
        std::uint32_t bad = 0;
        std::uint32_t lowest = ~0U;
        std::uint32_t highest = 0;
        for (std::int64_t at = 0; at < context; ++at) {
            const std::uint32_t ordinal = ordinal_of(bits[at]);
            scratch.ordinals[at] = ordinal;
            bad |= static_cast<std::uint32_t>((bits[at] & exponent) == exponent);
            lowest = ordinal < lowest ? ordinal : lowest;
            highest = ordinal > highest ? ordinal : highest;
        }
        for (std::int64_t at = 0; bad != 0; ++at) {
            if ((bits[at] & exponent) == exponent)
                return at;
        }
        order.bins = bins_for(lowest, highest, context, scratch.row_counts);
        order.highest = highest;
        return -1;
    }

    /// Bins of the candidates: the row's without the positions before and behind them.
    Bins candidate_bins(
        const RowOrder& order, const SelectCounts& counts, std::int64_t context, const SelectScratch& scratch)
    {
        Bins bins = order.bins;
        bins.counts = scratch.counts;
        for (std::uint32_t bin = 0; bin < bins.bins; ++bin)
            bins.counts[bin] = order.bins.counts[bin];
        for (std::int64_t at = 0; at < counts.first; ++at)
            --bins.counts[(scratch.ordinals[at] - bins.lowest) >> bins.shift];
        for (std::int64_t at = counts.end; at < context; ++at)
            --bins.counts[(scratch.ordinals[at] - bins.lowest) >> bins.shift];
        return bins;
    }

    /// The lower median of what the `highest` best candidates leave.
    float median_of_rest(const Bins& bins, const SelectCounts& counts, const SelectScratch& scratch)
    {
        const std::int64_t rest = counts.end - counts.first - counts.highest;
        const std::uint32_t* ordinals = scratch.ordinals + counts.first;
        const Border border = border_at(bins, static_cast<std::uint32_t>(counts.highest + rest / 2));
        const std::uint32_t size = list_border(border, ordinals, counts.end - counts.first, scratch.border);
        for (std::uint32_t at = 0; at < size; ++at)
            scratch.exact[at] = ordinals[scratch.border[at]];
        return score_of(static_cast<std::uint32_t>(value_at(scratch.exact, size, border.wanted - 1)));
    }

    /// Costs of the candidates without a label, and `taken` for those with one.
    void write_costs(const Candidates& of, double median, std::uint32_t nearest, std::uint32_t taken,
        std::uint32_t* __restrict costs)
    {
        const float* scores = of.scores;
        const std::uint8_t* labels = of.labels;
        const std::int64_t size = of.size;
        for (std::int64_t at = 0; at < size; ++at) {
            // By arithmetic: a branch would keep the floating-point work from being done on vectors.
            const std::uint32_t mask = 0U - static_cast<std::uint32_t>(labels[at] != evicted);
            const std::uint32_t cost = cost_of(scores[at], median, nearest) | mask;
            costs[at] = cost < taken ? cost : taken;
        }
    }

    /// Bridges: `wanted` of the candidates without a label.
    void take_nearest(const RowOrder& order, const Candidates& from, std::uint32_t wanted, double median,
        const SelectScratch& scratch)
    {
        constexpr std::uint32_t octaves = 24U << 23U;
        const std::uint32_t down = cost_of(score_of(order.highest), median, 0);
        const std::uint32_t up = cost_of(score_of(order.bins.lowest), median, 0);
        const std::uint32_t farthest = up > down ? up : down;
        const std::uint32_t nearest = farthest > octaves ? farthest - octaves : 0;
        write_costs(from, median, nearest, farthest + 1, scratch.costs); // those taken stand behind all others
        const Bins bins = bins_for(nearest, farthest + 1, from.size, scratch.counts);
        count(bins, scratch.costs, from.size);
        take(border_at(bins, wanted - 1), scratch.costs, from, RowLabel::bridge, scratch, [&](std::uint32_t at) {
            return from.labels[at] == evicted ? exact_distance(from.scores[at], median) : ~0ULL;
        });
    }

    void label_all(std::uint8_t* labels, std::int64_t positions, RowLabel label)
    {
        for (std::int64_t at = 0; at < positions; ++at)
            labels[at] = static_cast<std::uint8_t>(label);
    }

    void label_row(const RowOrder& order, const float* scores, std::int64_t context, const SelectPlan& plan,
        const SelectScratch& scratch, std::uint8_t* labels)
    {
        const SelectCounts counts = counts_of(plan, context);
        const Candidates all = { scores + counts.first, labels + counts.first, counts.end - counts.first };
        label_all(labels, counts.first, RowLabel::sink);
        label_all(labels + counts.end, context - counts.end, RowLabel::local);
        label_all(all.labels, all.size, counts.highest == all.size ? RowLabel::important : RowLabel::evicted);
        if (counts.highest == all.size || counts.highest + counts.median == 0)
            return;
        const Bins bins = candidate_bins(order, counts, context, scratch);
        // Before the bins' memory is used again.
        const float median = counts.median > 0 ? median_of_rest(bins, counts, scratch) : 0;
        const std::uint32_t* ordinals = scratch.ordinals + counts.first;
        if (counts.highest > 0)
            take(border_at(bins, static_cast<std::uint32_t>(counts.highest - 1)), ordinals, all, RowLabel::important,
                scratch, [&](std::uint32_t at) { return static_cast<std::uint64_t>(ordinals[at]); });
        if (counts.highest + counts.median == all.size) {
            for (std::int64_t at = 0; at < all.size; ++at)
                all.labels[at]
                    = all.labels[at] == evicted ? static_cast<std::uint8_t>(RowLabel::bridge) : all.labels[at];
        } else if (counts.median > 0) {
            take_nearest(order, all, static_cast<std::uint32_t>(counts.median), median, scratch);
        }
    }

    std::int64_t select_row(const SelectInputs& inputs, std::int64_t row, const SelectScratch& scratch)
    {
        const float* scores = inputs.scores + row * inputs.context; // (context)
        RowOrder order;
        const std::int64_t bad = order_row(scores, inputs.context, scratch, order);
        if (bad >= 0)
            return bad;
        // Counted over the whole row once, through the plans' table, which is wide enough for two.
        Bins twice = order.bins;
        twice.counts = scratch.counts;
        count(twice, scratch.ordinals, inputs.context);
        for (std::uint32_t bin = 0; bin < twice.bins; ++bin)
            order.bins.counts[bin] = twice.counts[bin];
        for (std::int64_t plan = 0; plan < inputs.plan_count; ++plan)
            label_row(order, scores, inputs.context, inputs.plans[plan], scratch,
                inputs.plans[plan].labels + row * inputs.context);
        return -1;
    }

} // namespace

extern const SelectVariant select_variant;
const SelectVariant select_variant = { KEEPSET_VARIANT_NAME, select_row };

} // namespace keepset::kernels::KEEPSET_VARIANT
