#pragma once

#include "kernels/map/attention_map.h"
#include "tests/kernels/importance_case.h"

#include <QString>

/// What the tests of the attention map on the CPU and on CUDA share.
namespace keepset::kernels::test {

/// One head of a case, over all it has.
AttentionMapInputs map_of(const ImportanceCase& values, std::int64_t head);

/// A random range, at times of one row or column, and a random grid over it.
void choose_range(AttentionMapInputs& map, std::mt19937& random);

/// Empty where every cell is the reference's: hidden and NaN where it is, else within a float's error of the score.
QString first_disagreement(
    const ImportanceCase& values, const AttentionMapInputs& map, const std::vector<float>& cells);

} // namespace keepset::kernels::test
