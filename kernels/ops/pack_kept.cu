#include "kernels/cuda_check.h"
#include "kernels/ops/ops_cuda.h"

namespace keepset::kernels {

namespace {

    constexpr int threads = 256;
    constexpr int most_rows = 64; // of a block

    /// Units are copied whole; a row has `units` of them, and `packed_units` in the output.
    template <typename Unit> __global__ void __launch_bounds__(threads)
        pack(PackInputs inputs, int units, int packed_units, int elements)
    {
        const int64_t sequence = blockIdx.y;
        const int64_t point = sequence / inputs.kv_heads;
        const int64_t head = sequence % inputs.kv_heads;
        const int64_t begin = inputs.ends[sequence];
        const int64_t length = inputs.ends[sequence + 1] - begin;
        const int64_t kept = length - inputs.own;
        const int32_t* const positions = inputs.positions + inputs.starts[point * inputs.starts_stride + head];
        const int64_t first = static_cast<int64_t>(blockIdx.x) * most_rows;
        const int64_t rows = length - first < most_rows ? length - first : most_rows;
        for (int64_t at = threadIdx.x; at < rows * packed_units; at += threads) {
            const int64_t row = first + at / packed_units;
            const int unit = static_cast<int>(at % packed_units);
            const bool is_own = row >= kept;
            const KeyRows& keys = is_own ? inputs.own_keys : inputs.keys;
            const KeyRows& values = is_own ? inputs.own_values : inputs.values;
            const int64_t token = is_own ? row - kept : positions[row];
            const int64_t to
                = packed_row(inputs, inputs.ends[point * inputs.kv_heads], begin, head, row) * packed_units + unit;
            const auto source = [&](const KeyRows& rows_of) {
                return unit < units
                    ? static_cast<const Unit*>(rows_of.data)[offset_in(rows_of, point, head, token) / elements + unit]
                    : Unit {};
            };
            static_cast<Unit*>(inputs.packed_keys)[to] = source(keys);
            static_cast<Unit*>(inputs.packed_values)[to] = source(values);
        }
    }

    template <typename Unit> void launch(const PackInputs& inputs, cudaStream_t stream)
    {
        const auto elements = static_cast<int>(static_cast<std::int64_t>(sizeof(Unit)) / inputs.element_bytes);
        const dim3 grid(static_cast<unsigned>((inputs.longest + most_rows - 1) / most_rows),
            static_cast<unsigned>(inputs.points * inputs.kv_heads));
        pack<Unit><<<grid, threads, 0, stream>>>(inputs, static_cast<int>(inputs.head_dim / elements),
            static_cast<int>(inputs.packed_dim / elements), elements);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

    /// Whether every row begins and ends at a multiple of `bytes`.
    bool in_units_of(const PackInputs& inputs, std::int64_t bytes)
    {
        const auto whole = [&](std::int64_t elements) { return elements * inputs.element_bytes % bytes == 0; };
        const auto aligned = [&](const void* pointer) {
            return reinterpret_cast<std::uintptr_t>(pointer) % static_cast<std::uintptr_t>(bytes) == 0;
        };
        const auto rows = [&](const KeyRows& from) {
            return whole(from.point_stride) && whole(from.head_stride) && whole(from.token_stride)
                && aligned(from.data);
        };
        return whole(inputs.head_dim) && whole(inputs.packed_dim) && rows(inputs.keys) && rows(inputs.values)
            && rows(inputs.own_keys) && rows(inputs.own_values) && aligned(inputs.packed_keys)
            && aligned(inputs.packed_values);
    }

} // namespace

void pack_kept_cuda(const PackInputs& inputs, void* stream)
{
    if (inputs.longest == 0 || inputs.points == 0 || inputs.kv_heads == 0)
        return;
    const auto on = static_cast<cudaStream_t>(stream);
    if (in_units_of(inputs, 16))
        launch<uint4>(inputs, on);
    else if (inputs.element_bytes == 4)
        launch<uint32_t>(inputs, on);
    else
        launch<uint16_t>(inputs, on);
}

} // namespace keepset::kernels
