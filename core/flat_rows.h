#pragma once

#include "core/analysis.h"
#include "core/run.h"

#include <cstdint>
#include <string>
#include <vector>

/// Rows whose scores lie so close together that rounding decides what is kept (SEMANTICS 4b): those of K-norm where a
/// model norms its keys, which then are all of one length.
namespace keepset {

/// (max - min) / mean of a row's scores below which that is so, for keys of this dtype ("float32"): 1e-4, or in 16 bits
/// the step from 1 to the next number, 2^-10 and 2^-7, which keys of one length stay below once they are rounded.
double least_spread(const std::string& dtype);

/// Such rows of the layers that evict in a keep set of the analysis; 0 where the policy keeps everything, does not rank
/// by such a score, or the analysis lacks it.
std::int64_t flat_rows(const Analysis& analysis, const KeepSet& set);

/// A sentence for every policy that has such rows.
std::vector<std::string> notes_about(const Analysis& analysis);
std::vector<std::string> notes_about(const Run& run);

} // namespace keepset
