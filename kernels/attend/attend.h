#pragma once

#include "kernels/ops/pack_kept.h"
#include "kernels/shapes.h"

namespace keepset::kernels {

/// Softmax attention by a rule, of several samples: a query sees the keys at its own and earlier positions within the
/// window, at least one. Keys and values of a (sample, kv head) are either rows of their own, key j at position j, or
/// packed as pack_kept packs them: those that were kept, at `positions`, then the sample's own beside its queries.
struct AttendInputs {
    ElementType type = ElementType::bfloat16; ///< or float16
    std::int64_t samples = 0;
    std::int64_t heads = 0; ///< query heads; a multiple of kv_heads
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0; ///< a multiple of 16, 256 at most
    std::int64_t queries = 0; ///< of a sample
    std::int64_t keys = 0; ///< of a sample; not read where they are packed
    float scale = 0;
    float softcap = 0; ///< as AttentionShape::softcap
    std::int64_t window = 0; ///< as AttentionShape::window
    KeyRows q; ///< (samples, heads, queries, head_dim); strides and data in multiples of 16 bytes, so too the next two
    KeyRows k; ///< (samples, kv_heads, keys, head_dim), or packed (all, head_dim) by the strides of token and head
    KeyRows v;
    const std::int32_t* ends = nullptr; ///< (samples · kv_heads + 1): packed keys before each row; nullptr: not packed
    bool side_by_side = false; ///< as PackInputs::side_by_side; the token stride is then that of all heads
    const std::int32_t* positions = nullptr; ///< of kept keys; nullptr: packed key j of a row stands at j
    const std::int64_t* starts
        = nullptr; ///< where those of (sample, kv head) begin: [sample · starts_stride + kv_head]
    std::int64_t starts_stride = 0;
    const std::int32_t* first_query = nullptr; ///< (samples): positions of first queries; nullptr: 0
    const float* key_bias = nullptr; ///< (heads, positions): added after the cap; nullptr: none
    std::int64_t bias_stride = 0; ///< positions of a head
};

/// Output (samples, queries, heads, head_dim) in the type of the inputs, and natural log-sum-exps of the rows (samples,
/// heads, queries). Products and sums in float32, probabilities rounded to the type before the second product, as flash
/// attention does. Queued on `stream` (a cudaStream_t), no synchronisation, no allocation; deterministic. Compute
/// capability 8.0 and up. Throws std::runtime_error.
void attend_cuda(const AttendInputs& inputs, void* output, float* row_lse, void* stream);

} // namespace keepset::kernels
