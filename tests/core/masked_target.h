#pragma once

#include "core/pass/target_pass.h"

#include <random>

/// What target passes are compared with.
namespace keepset {

/// Hidden states after the last layer, (rows, hidden), of one point of a job, by the definition: scores of every query
/// with every key of the context and of the target in float64, masked by what each row keeps. With repacked positions
/// the keys of a row stand at 0 … of its own, and its queries go on from there: no row knows of another.
at::Tensor masked_target(const TargetJob& job, std::size_t point);

/// Keep sets by chance, a point each: everything; as many in every row; as many in every row of a layer; then `ragged`
/// points whose rows keep any number, one of them all, one a single one and one nothing.
KeptPositions random_kept(const Decoder& decoder, std::int64_t context, int ragged, std::mt19937& random);

} // namespace keepset
