#pragma once

#include "core/run.h"

#include <cstddef>
#include <vector>

namespace keepset::audit_checks {

/// Two points of different methods that came out identical in every window that is done.
struct Twin {
    std::size_t first = 0; ///< point of the run; lower than `second`
    std::size_t second = 0;
    bool losses = false; ///< to the last bit; NaN equals nothing
    bool keep_sets = false;
};

/// Identical points among those that stand at one sparsity above 0, and between these and dense. Found by what they
/// hold, in n log n, because runs of thousands of policies are compared too; where very many are identical each is
/// paired with the first of them only.
std::vector<Twin> find_twins(const Run& run);
/// Whether two methods share a sparsity above 0, dense standing at all of them.
bool has_comparisons(const Run& run);

} // namespace keepset::audit_checks
