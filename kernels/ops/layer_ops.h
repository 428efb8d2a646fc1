#pragma once

#include "kernels/shapes.h"

#include <cstdint>

/// The small operations of a decoder's layer between its products. Each rounds where the same operations of the tensor
/// library, and with them transformers, round.
namespace keepset::kernels {

/// Root-mean-square norm of rows: x / sqrt(mean(x²) + eps), times the weight.
struct NormInputs {
    ElementType type = ElementType::float32; ///< of x and out
    const void* x = nullptr; ///< (rows, size)
    std::int64_t rows = 0;
    std::int64_t size = 0;
    std::int64_t row_stride = 0; ///< of x, in elements
    const void* weight = nullptr; ///< (size)
    bool wide_weight
        = false; ///< the weight is float32 and all is rounded once; else it is as x, which is rounded before
    float eps = 0;
    void* out = nullptr; ///< (rows, size) contiguous
};

enum class Gate : std::uint8_t { silu, gelu, gelu_tanh, relu };

/// act(gate) · up, the gate rounded before the product.
struct GateInputs {
    ElementType type = ElementType::float32;
    Gate gate = Gate::silu;
    const void* gate_up = nullptr; ///< (rows, 2 · wide) contiguous: the gate, then up
    std::int64_t rows = 0;
    std::int64_t wide = 0;
    void* out = nullptr; ///< (rows, wide) contiguous
};

/// Rotary embedding in place: of x the first `dims` of every row, by halves. x · cos is rounded before the other
/// product is added.
struct RotateInputs {
    ElementType type = ElementType::float32; ///< of x
    bool wide_tables = false; ///< cos and sin are float32 and nothing is rounded before the end; else they are as x
    void* x = nullptr; ///< (batch, heads, rows, …), strides in elements
    std::int64_t batch = 0;
    std::int64_t heads = 0;
    std::int64_t rows = 0;
    std::int64_t dims = 0; ///< even
    std::int64_t batch_stride = 0;
    std::int64_t head_stride = 0;
    std::int64_t row_stride = 0;
    const void* cos = nullptr; ///< (rows, dims), or (batch, rows, dims) by table_batch_stride
    const void* sin = nullptr;
    std::int64_t table_batch_stride = 0;
};

/// The references: plain loops in double, rounded once; float32 alone.
void norm_reference(const NormInputs& inputs);
void gate_reference(const GateInputs& inputs);
void rotate_reference(const RotateInputs& inputs);

} // namespace keepset::kernels
