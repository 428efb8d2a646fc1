#include "kernels/ops/pack_kept.h"

#include <cstring>

namespace keepset::kernels {

namespace {

    /// One row, from `offset` in elements to packed row `row`.
    void copy_row(const PackInputs& inputs, const KeyRows& from, std::int64_t offset, void* to, std::int64_t row)
    {
        char* const out = static_cast<char*>(to) + row * inputs.packed_dim * inputs.element_bytes;
        const auto bytes = static_cast<std::size_t>(inputs.head_dim * inputs.element_bytes);
        std::memcpy(out, static_cast<const char*>(from.data) + offset * inputs.element_bytes, bytes);
        std::memset(
            out + bytes, 0, static_cast<std::size_t>((inputs.packed_dim - inputs.head_dim) * inputs.element_bytes));
    }

} // namespace

void pack_kept_reference(const PackInputs& inputs)
{
    const std::int64_t sequences = inputs.points * inputs.kv_heads;
    for (std::int64_t sequence = 0; sequence < sequences; ++sequence) {
        const std::int64_t point = sequence / inputs.kv_heads;
        const std::int64_t head = sequence % inputs.kv_heads;
        const std::int32_t* const kept = inputs.positions + inputs.starts[point * inputs.starts_stride + head];
        const std::int64_t count = inputs.ends[sequence + 1] - inputs.ends[sequence] - inputs.own;
        const auto row_of = [&](std::int64_t key) {
            return packed_row(inputs, inputs.ends[point * inputs.kv_heads], inputs.ends[sequence], head, key);
        };
        for (std::int64_t at = 0; at < count; ++at) {
            const std::int64_t token = kept[at];
            const std::int64_t row = row_of(at);
            copy_row(inputs, inputs.keys, offset_in(inputs.keys, point, head, token), inputs.packed_keys, row);
            copy_row(inputs, inputs.values, offset_in(inputs.values, point, head, token), inputs.packed_values, row);
        }
        for (std::int64_t at = 0; at < inputs.own; ++at) {
            const std::int64_t row = row_of(count + at);
            copy_row(inputs, inputs.own_keys, offset_in(inputs.own_keys, point, head, at), inputs.packed_keys, row);
            copy_row(
                inputs, inputs.own_values, offset_in(inputs.own_values, point, head, at), inputs.packed_values, row);
        }
    }
}

} // namespace keepset::kernels
