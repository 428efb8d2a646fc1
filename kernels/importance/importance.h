#pragma once

#include "kernels/shapes.h"

namespace keepset::kernels {

/// Several sequences packed along the token axes, none of which sees another. The pointers are to host memory, on a
/// device too, and are read before the call returns.
struct PackedSequences {
    std::int64_t count = 0; ///< 0: the inputs are one sequence
    const std::int64_t* query_starts = nullptr; ///< (count + 1) ascending: of sequence s, [s] up to [s + 1]
    const std::int64_t* key_starts = nullptr; ///< (count + 1) the same
};

/// Which implementation runs, on a CUDA device. Every other than `automatic` is for tests and benchmarks.
enum class ImportancePath : std::uint8_t { automatic, simple, mma, hopper };

/// Inputs of the column sums. All pointers but those of `packed` are on the device that runs the function.
struct ImportanceInputs {
    AttentionShape shape;
    ElementType type = ElementType::float32; ///< of q and k
    const void* q = nullptr; ///< (heads, queries, head_dim) by the shape's strides
    const void* k = nullptr; ///< (kv_heads, keys, head_dim) by the shape's strides
    const float* row_lse
        = nullptr; ///< (heads, queries) by the shape's stride: natural log-sum-exp of each query's visible scores
    const float* key_bias
        = nullptr; ///< (heads, keys) by the sums' stride: added to the scores after the cap; nullptr: none
    /// With packed sequences `queries` and `keys` count all of them, and query_begin is not read: the last query of a
    /// sequence stands at its last key.
    PackedSequences packed;
    void* workspace = nullptr; ///< CudaModule::importance_workspace bytes, their content of no matter; CUDA only
    ImportancePath path = ImportancePath::automatic;
};

/// Sequences of the inputs, one where none are packed.
constexpr std::int64_t sequences_of(const ImportanceInputs& inputs)
{
    return inputs.packed.count == 0 ? 1 : inputs.packed.count;
}

/// One sequence alone, by strides over the memory of all; its sums begin at first_key_column.
inline ImportanceInputs sequence_of(const ImportanceInputs& inputs, std::int64_t sequence)
{
    if (inputs.packed.count == 0)
        return inputs;
    ImportanceInputs one = inputs;
    const std::int64_t first_query = inputs.packed.query_starts[sequence];
    const std::int64_t first_key = inputs.packed.key_starts[sequence];
    const std::int64_t element_bytes = inputs.type == ElementType::float32 ? 4 : 2;
    one.packed = {};
    one.shape.queries = inputs.packed.query_starts[sequence + 1] - first_query;
    one.shape.keys = inputs.packed.key_starts[sequence + 1] - first_key;
    one.shape.query_begin = one.shape.keys - one.shape.queries;
    one.shape.lse_head_stride = lse_stride(inputs.shape);
    one.shape.sum_head_stride = sum_stride(inputs.shape);
    one.q = static_cast<const char*>(inputs.q) + first_query * inputs.shape.q_token_stride * element_bytes;
    one.k = static_cast<const char*>(inputs.k) + first_key * inputs.shape.k_token_stride * element_bytes;
    one.row_lse = inputs.row_lse + first_query;
    if (inputs.key_bias != nullptr)
        one.key_bias = inputs.key_bias + first_key;
    return one;
}

/// The sequence's first column in the sums (heads, keys) of all.
constexpr std::int64_t first_key_column(const ImportanceInputs& inputs, std::int64_t sequence)
{
    return inputs.packed.count == 0 ? 0 : inputs.packed.key_starts[sequence];
}

/// Adds Σ_i exp(score_ij - row_lse_i) over the queries i that see key j to sums (heads, keys): the attention each key
/// receives after softmax (SEMANTICS 2), in its own sequence where several are packed. score_ij = cap(scale·q_i·k_j) +
/// key_bias_j, cap by the shape's softcap. P is never stored. Adding, so that query blocks may come one after another.
/// A query, key, bias or log-sum-exp that is not finite gives NaN in every sum that it takes part in, never a number.
/// The reference: plain loops, every product and sum in double; float32 inputs only.
void importance_reference(const ImportanceInputs& inputs, double* sums);

/// P of one query head, query and key that it sees, in double: what the references are made of. float32 inputs only.
double probability_reference(const ImportanceInputs& inputs, std::int64_t head, std::int64_t query, std::int64_t key);

/// The same on `threads` CPU threads, vectorised (the widest instruction set this processor has, chosen at run time);
/// float32 inputs only; relative error against the reference below 1e-5 for scores of ordinary size (a float32 product
/// is off by about 1e-7 of Σ|q·k|·scale). The sums do not depend on `threads`. Takes heads·queries floats of memory and
/// time of O(queries · window) where there is a window.
/// Throws std::runtime_error for another element type.
void importance_cpu(const ImportanceInputs& inputs, float* sums, int threads);

} // namespace keepset::kernels
