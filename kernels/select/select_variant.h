#pragma once

#include "kernels/select/select.h"

#include <vector>

/// Inner border of select_cpu: one source (select_row.h) compiled once per instruction set. Public only to tests.
namespace keepset::kernels {

inline constexpr std::uint32_t max_bins = 2048;

/// Memory of one thread.
struct SelectScratch {
    std::uint32_t* ordinals = nullptr; ///< (context): of the scores, ascending from the highest score on
    std::uint32_t* costs = nullptr; ///< (context): of the distances to the median
    std::uint32_t* border = nullptr; ///< (context): positions whose bin a cut goes through
    std::uint64_t* exact = nullptr; ///< (context): what orders them
    std::uint32_t* row_counts = nullptr; ///< (max_bins): of the whole row
    std::uint32_t* counts = nullptr; ///< (2 · max_bins): of a plan's candidates
};

/// One instruction set's version of the work on a row.
struct SelectVariant {
    const char* name = nullptr;
    /// Carries out all plans on one row. Returns the first position whose score is not finite, or -1.
    std::int64_t (*row)(const SelectInputs& inputs, std::int64_t row, const SelectScratch& scratch) = nullptr;
};

namespace baseline {
    extern const SelectVariant select_variant;
}
namespace avx2 {
    extern const SelectVariant select_variant;
}
namespace avx512 {
    extern const SelectVariant select_variant;
}

/// The versions that this processor can run, the fastest last; never empty.
std::vector<SelectVariant> select_variants();

/// select_cpu with a chosen version.
std::int64_t select_cpu_with(const SelectVariant& variant, const SelectInputs& inputs, int threads);

} // namespace keepset::kernels
