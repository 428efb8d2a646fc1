#pragma once

#include "kernels/shapes.h"

namespace keepset::kernels {

/// Inputs of the column sums. All pointers are on the device that runs the function.
struct ImportanceInputs {
    AttentionShape shape;
    ElementType type = ElementType::float32; ///< of q and k
    const void* q = nullptr; ///< (heads, queries, head_dim) by the shape's strides
    const void* k = nullptr; ///< (kv_heads, keys, head_dim) by the shape's strides
    const float* row_lse = nullptr; ///< (heads, queries) contiguous: natural log-sum-exp of each query's visible scores
    const float* key_bias = nullptr; ///< (heads, keys) contiguous: added to the scores after the cap; nullptr: none
};

/// Adds Σ_i exp(score_ij - row_lse_i) over the queries i that see key j to sums (heads, keys): the attention each key
/// receives after softmax (SEMANTICS 2). score_ij = cap(scale·q_i·k_j) + key_bias_j, cap by the shape's softcap. P is
/// never stored. Adding, so that query blocks may come one after another. A query, key, bias or log-sum-exp that is not
/// finite gives NaN in every sum that it takes part in, never a number. The reference: plain loops, every product and
/// sum in double; float32 inputs only.
void importance_reference(const ImportanceInputs& inputs, double* sums);

/// The same on `threads` CPU threads, vectorised (the widest instruction set this processor has, chosen at run time);
/// float32 inputs only; relative error against the reference below 1e-5 for scores of ordinary size (a float32 product
/// is off by about 1e-7 of Σ|q·k|·scale). The sums do not depend on `threads`. Takes heads·queries floats of memory and
/// time of O(queries · window) where there is a window.
/// Throws std::runtime_error for another element type.
void importance_cpu(const ImportanceInputs& inputs, float* sums, int threads);

} // namespace keepset::kernels
