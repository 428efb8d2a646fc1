#pragma once

#include <cstdint>

namespace keepset::kernels {

/// Keys or values as they lie: (points, kv_heads, tokens, head_dim), strides in elements; head_dim is contiguous.
struct KeyRows {
    const void* data = nullptr;
    std::int64_t point_stride = 0; ///< 0: all points share them
    std::int64_t head_stride = 0;
    std::int64_t token_stride = 0;
};

/// Keys and values of one layer to be packed for one attention call over all points: of every (point, kv head) what the
/// point kept of the context, then its own.
struct PackInputs {
    std::int64_t element_bytes = 2;
    std::int64_t points = 0;
    std::int64_t kv_heads = 0;
    std::int64_t own = 0; ///< keys of a point's own; may be 0
    std::int64_t head_dim = 0;
    std::int64_t packed_dim = 0; ///< of the output; zeros beyond head_dim
    std::int64_t longest = 0; ///< most keys, own ones too, of any (point, kv head)
    KeyRows keys; ///< of the context, which all points share
    KeyRows values;
    KeyRows own_keys;
    KeyRows own_values;
    const std::int32_t* positions = nullptr; ///< kept positions of all rows of all points
    const std::int64_t* starts = nullptr; ///< where those of (point, kv head) begin: [point · starts_stride + kv_head]
    std::int64_t starts_stride = 0;
    const std::int32_t* ends = nullptr; ///< (points · kv_heads + 1): packed keys before each (point, kv head), and all
    /// Of a point the keys of all kv heads side by side, token by token, (keys, kv_heads): for points that keep as many
    /// in each. Else head by head.
    bool side_by_side = false;
    void* packed_keys = nullptr; ///< (all, packed_dim)
    void* packed_values = nullptr; ///< the same
};

/// The packed row of a key of (point, kv head); `point_begin` and `begin` are ends[point · kv_heads] and that of both.
constexpr std::int64_t packed_row(
    const PackInputs& inputs, std::int64_t point_begin, std::int64_t begin, std::int64_t kv_head, std::int64_t key)
{
    return inputs.side_by_side ? point_begin + key * inputs.kv_heads + kv_head : begin + key;
}

/// Where a row of keys begins, in elements.
constexpr std::int64_t offset_in(const KeyRows& rows, std::int64_t point, std::int64_t head, std::int64_t token)
{
    return point * rows.point_stride + head * rows.head_stride + token * rows.token_stride;
}

/// The reference, on the host.
void pack_kept_reference(const PackInputs& inputs);

} // namespace keepset::kernels
