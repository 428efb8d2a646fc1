#pragma once

#include "kernels/select/select.h"

#include <cstdint>

/// Labels of many keep sets, as positions and in numbers, where they lie.
namespace keepset::kernels {

/// What one row of a keep set holds.
struct KeptFacts {
    std::int64_t entries = 0; ///< positions kept
    std::uint64_t hash = 0; ///< sum of place_hash over them, modulo 2^64: their order is of no matter
    double mass = 0; ///< sum of `mass` over them
    std::int32_t first_kept = 0; ///< 1 where position 0 is kept
    std::int32_t tied = 0; ///< 1 where the lowest important score is also one of an evicted position
};

/// Keep sets of a model's rows. Rows of scores may be shared by `sharing` rows of the model that follow one another.
struct KeptRowsInputs {
    const std::uint8_t* labels = nullptr; ///< (plans, score_rows, context), RowLabel
    const float* scores = nullptr; ///< (score_rows, context); nullptr: nobody asks for ties
    const double* mass = nullptr; ///< (score_rows · sharing, context)
    std::int64_t plans = 0;
    std::int64_t score_rows = 0;
    std::int64_t sharing = 1;
    std::int64_t context = 0; ///< below 2^31
    /// (plans, score_rows · sharing): where the positions of a row begin in the output.
    const std::int64_t* starts = nullptr;
    std::int64_t end = 0; ///< room for positions: none is written from here on, whatever the labels say
};

constexpr std::int64_t rows_of(const KeptRowsInputs& inputs) { return inputs.score_rows * inputs.sharing; }

/// A position of a row of the model, well mixed (the finaliser of SplitMix64).
constexpr std::uint64_t place_hash(std::int64_t row, std::int64_t context, std::int64_t position)
{
    std::uint64_t mixed = static_cast<std::uint64_t>(row * context + position) + 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

/// The kept positions of every row, ascending, at their starts in `positions`, and `facts` (plans, score_rows ·
/// sharing). On `threads` CPU threads; what comes out does not depend on them.
void kept_rows_cpu(const KeptRowsInputs& inputs, std::int32_t* positions, KeptFacts* facts, int threads);

} // namespace keepset::kernels
