#pragma once

#include "kernels/importance/importance.h"

#include <algorithm>
#include <cstdint>
#include <vector>

/// Inner border of importance_cpu: one source (importance_tile.h) compiled once per instruction set. Public only to
/// tests.
namespace keepset::kernels {

/// The keys of one tile against every query of one head that sees any of them. Strides are in elements.
struct KeyTile {
    const float* q = nullptr; ///< (queries, head_dim) of the head
    std::int64_t q_stride = 0;
    std::int64_t queries = 0; ///< up to the last one that sees any of the keys
    const float* lse = nullptr; ///< (queries), NaN where the query's row must poison its sums
    const float* k = nullptr; ///< (keys, head_dim) of the tile
    std::int64_t k_stride = 0;
    std::int64_t keys = 0; ///< in this tile, from 1 to the tile's size, each seen by one query at least
    const float* bias = nullptr; ///< (keys) of the head, or nullptr
    std::int64_t head_dim = 0;
    std::int64_t first_query = 0; ///< the first one that sees the tile's first key; below `queries`
    std::int64_t diagonal = 0; ///< query i sees key j of the tile where j ≤ i + diagonal
    std::int64_t window = 0; ///< and where j > i + diagonal - window; 0: every earlier key
    float scale = 0;
    float softcap = 0; ///< 0: none
};

/// One instruction set's version of the tile. `panel` keys are worked on at once; a tile is 1 to max_panels panels.
struct ImportanceVariant {
    const char* name = nullptr;
    std::int64_t panel = 0;
    /// Column sums of the tile into sums (keys), set and not added. `packed` holds panels·panel·head_dim floats,
    /// 64-byte aligned.
    void (*tile)(const KeyTile& tile, float* packed, double* sums) = nullptr;
    /// P of queries [first_query, queries) and the tile's keys, seen or not, into out (queries, stride), set up to the
    /// last panel's end; out and stride 64-byte aligned. NaN for a key that is not finite.
    void (*probabilities)(const KeyTile& tile, float* packed, float* out, std::int64_t stride) = nullptr;
};
inline constexpr std::int64_t max_panels = 16;
inline constexpr std::int64_t max_tile_keys = max_panels * 64;

/// Keys of a tile: packed, they take half of a 32 KiB first-level cache, where head_dim allows.
inline std::int64_t keys_of_tile(const ImportanceVariant& variant, std::int64_t head_dim)
{
    const std::int64_t floats = 16 * 1024 / static_cast<std::int64_t>(sizeof(float));
    return variant.panel
        * std::clamp<std::int64_t>(floats / (variant.panel * std::max<std::int64_t>(head_dim, 1)), 1, max_panels);
}

namespace baseline {
    extern const ImportanceVariant variant;
}
namespace avx2 {
    extern const ImportanceVariant variant;
}
namespace avx512 {
    extern const ImportanceVariant variant;
}

/// The versions that this processor can run, the fastest last; never empty.
std::vector<ImportanceVariant> importance_variants();

/// importance_cpu with a chosen version.
void importance_cpu_with(const ImportanceVariant& variant, const ImportanceInputs& inputs, float* sums, int threads);

} // namespace keepset::kernels
