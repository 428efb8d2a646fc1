#include "kernels/cuda_check.h"
#include "kernels/elements.h"
#include "kernels/ops/ops_cuda.h"

#include <algorithm>
#include <type_traits>

namespace keepset::kernels {

namespace {

    /// As the type holds it.
    template <typename T> __device__ float through(float value) { return to_float(rounded<T>(value)); }

    constexpr int threads = 256;

    /// Sum over the `lanes` threads that have a row, for all of them. All threads of the block call it.
    template <int lanes> __device__ float row_sum(float value)
    {
        for (int distance = 16; distance > 0; distance /= 2)
            value += __shfl_xor_sync(~0U, value, distance);
        if constexpr (lanes == 32)
            return value;
        __shared__ float parts[threads / 32];
        if (threadIdx.x % 32 == 0)
            parts[threadIdx.x / 32] = value;
        __syncthreads();
        constexpr int warps = lanes / 32;
        const int first = static_cast<int>(threadIdx.x) / lanes * warps;
        float sum = 0;
        for (int warp = 0; warp < warps; ++warp)
            sum += parts[first + warp];
        return sum;
    }

    /// One normed element.
    template <typename T, typename Weight> __device__ T normed(T x, float inverse, Weight weight)
    {
        constexpr bool wide = std::is_same_v<Weight, float> && !std::is_same_v<T, float>;
        const float scaled = to_float(x) * inverse;
        return rounded<T>((wide ? scaled : through<T>(scaled)) * to_float(weight));
    }

    /// `lanes` threads have a row. In packs of 16 bytes, or element by element.
    template <typename T, typename Weight, int lanes, bool packs> __global__ void __launch_bounds__(threads)
        norm(NormInputs inputs)
    {
        const int64_t row = static_cast<int64_t>(blockIdx.x) * (threads / lanes) + threadIdx.x / lanes;
        const bool real = row < inputs.rows;
        const T* const x = static_cast<const T*>(inputs.x) + (real ? row : 0) * inputs.row_stride;
        const Weight* const weight = static_cast<const Weight*>(inputs.weight);
        T* const out = static_cast<T*>(inputs.out) + row * inputs.size;
        constexpr int each = packs ? Pack<T>::size : 1;
        const int first = static_cast<int>(threadIdx.x) % lanes * each;
        float sum = 0;
        for (int64_t i = first; i < inputs.size; i += lanes * each) {
            if constexpr (packs) {
                const Pack<T> some(x + i);
#pragma unroll
                for (int at = 0; at < each; ++at)
                    sum = fmaf(to_float(some.elements[at]), to_float(some.elements[at]), sum);
            } else {
                sum = fmaf(to_float(x[i]), to_float(x[i]), sum);
            }
        }
        const float inverse = rsqrtf(row_sum<lanes>(sum) / static_cast<float>(inputs.size) + inputs.eps);
        if (!real)
            return;
        for (int64_t i = first; i < inputs.size; i += lanes * each) {
            if constexpr (packs) {
                Pack<T> some(x + i);
#pragma unroll
                for (int at = 0; at < each; ++at)
                    some.elements[at] = normed(some.elements[at], inverse, weight[i + at]);
                some.store(out + i);
            } else {
                out[i] = normed(x[i], inverse, weight[i]);
            }
        }
    }

    __device__ float activated(Gate gate, float x)
    {
        switch (gate) {
        case Gate::silu:
            return x / (1.0F + expf(-x));
        case Gate::gelu:
            return x * 0.5F * (1.0F + erff(x * 0.70710678118654752F));
        case Gate::gelu_tanh: {
            const float inner = 0.79788456080286536F * (x + 0.044715F * x * x * x);
            return 0.5F * x * (1.0F + tanhf(inner));
        }
        case Gate::relu:
            return x > 0 || isnan(x) ? x : 0.0F;
        }
        return x;
    }

    template <typename T> __device__ T gated(Gate gate, T x, T up)
    {
        return rounded<T>(through<T>(activated(gate, to_float(x))) * to_float(up));
    }

    /// In packs of 16 bytes, or element by element.
    template <typename T, bool packs> __global__ void __launch_bounds__(threads) gate(GateInputs inputs)
    {
        constexpr int each = packs ? Pack<T>::size : 1;
        const int64_t of_row = inputs.wide / each;
        const int64_t index = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
        const int64_t row = index / of_row;
        if (row >= inputs.rows)
            return;
        const int64_t i = (index - row * of_row) * each;
        const T* const from = static_cast<const T*>(inputs.gate_up) + row * 2 * inputs.wide + i;
        T* const to = static_cast<T*>(inputs.out) + row * inputs.wide + i;
        if constexpr (packs) {
            Pack<T> gates(from);
            const Pack<T> ups(from + inputs.wide);
#pragma unroll
            for (int at = 0; at < each; ++at)
                gates.elements[at] = gated(inputs.gate, gates.elements[at], ups.elements[at]);
            gates.store(to);
        } else {
            *to = gated(inputs.gate, from[0], from[inputs.wide]);
        }
    }

    /// The `each` elements from `from` on, as floats.
    template <int each, typename T> __device__ void load(const T* from, float (&values)[each])
    {
        constexpr int size = each < Pack<T>::size ? each : Pack<T>::size;
#pragma unroll
        for (int part = 0; part < each; part += size) {
            if constexpr (size == 1) {
                values[part] = to_float(from[part]);
            } else {
                const Pack<T> some(from + part);
#pragma unroll
                for (int at = 0; at < size; ++at)
                    values[part + at] = to_float(some.elements[at]);
            }
        }
    }

    /// A thread has `each` pairs of dims of one row of one head: 1, or a pack of 16 bytes of both.
    template <typename T, typename Table, int each> __global__ void __launch_bounds__(threads)
        rotate(RotateInputs inputs)
    {
        const int half = static_cast<int>(inputs.dims) / 2;
        const int index = static_cast<int>(blockIdx.x * threads + threadIdx.x);
        const int head = index / (half / each);
        if (head >= inputs.heads)
            return;
        const int dim = index % (half / each) * each;
        const int64_t row = blockIdx.y;
        const int64_t batch = blockIdx.z;
        T* const x = static_cast<T*>(inputs.x) + batch * inputs.batch_stride + head * inputs.head_stride
            + row * inputs.row_stride + dim;
        const int64_t table = batch * inputs.table_batch_stride + row * inputs.dims + dim;
        float low[each], high[each], cos[2][each], sin[2][each];
        load<each>(x, low);
        load<each>(x + half, high);
        for (int part = 0; part < 2; ++part) {
            load<each>(static_cast<const Table*>(inputs.cos) + table + part * half, cos[part]);
            load<each>(static_cast<const Table*>(inputs.sin) + table + part * half, sin[part]);
        }
        constexpr bool wide = std::is_same_v<Table, float>;
        const auto kept = [&](float product) { return wide ? product : through<T>(product); };
        T turned[2][each];
#pragma unroll
        for (int at = 0; at < each; ++at) {
            turned[0][at] = rounded<T>(kept(low[at] * cos[0][at]) - high[at] * sin[0][at]);
            turned[1][at] = rounded<T>(kept(high[at] * cos[1][at]) + low[at] * sin[1][at]);
        }
        for (int part = 0; part < 2; ++part) {
            if constexpr (each == 1) {
                x[part * half] = turned[part][0];
            } else {
                Pack<T> some;
#pragma unroll
                for (int at = 0; at < each; ++at)
                    some.elements[at] = turned[part][at];
                some.store(x + part * half);
            }
        }
    }

    /// use(T {}) with the type of the elements.
    template <typename Use> void for_type(ElementType type, const Use& use)
    {
        switch (type) {
        case ElementType::float32:
            return use(float {});
        case ElementType::bfloat16:
            return use(__nv_bfloat16 {});
        case ElementType::float16:
            return use(__half {});
        }
    }

    unsigned blocks_for(std::int64_t count) { return static_cast<unsigned>((count + threads - 1) / threads); }

    template <typename T, typename Table> void launch_rotate(const RotateInputs& inputs, cudaStream_t stream)
    {
        constexpr int each = Pack<T>::size;
        const std::int64_t half = inputs.dims / 2;
        const bool packs = in_packs<T>(inputs.x, half, inputs.row_stride | inputs.head_stride | inputs.batch_stride)
            && in_packs<Table>(inputs.cos, half, inputs.table_batch_stride)
            && in_packs<Table>(inputs.sin, half, inputs.table_batch_stride);
        auto* const kernel = packs ? rotate<T, Table, each> : rotate<T, Table, 1>;
        const dim3 grid(blocks_for(inputs.heads * half / (packs ? each : 1)), static_cast<unsigned>(inputs.rows),
            static_cast<unsigned>(inputs.batch));
        kernel<<<grid, threads, 0, stream>>>(inputs);
    }

    template <typename T, typename Weight> void launch_norm(const NormInputs& inputs, cudaStream_t stream)
    {
        const bool packs
            = in_packs<T>(inputs.x, inputs.size, inputs.row_stride) && in_packs<T>(inputs.out, inputs.size, 0);
        const bool short_rows = inputs.size <= 2048;
        auto* const kernel = short_rows ? packs ? norm<T, Weight, 32, true> : norm<T, Weight, 32, false>
            : packs ? norm<T, Weight, threads, true>
                                        : norm<T, Weight, threads, false>;
        kernel<<<blocks_for(inputs.rows * (short_rows ? 32 : threads)), threads, 0, stream>>>(inputs);
    }

} // namespace

void norm_cuda(const NormInputs& inputs, void* stream)
{
    if (inputs.rows == 0)
        return;
    for_type(inputs.type, [&](auto element) {
        using T = decltype(element);
        if (inputs.wide_weight)
            launch_norm<T, float>(inputs, static_cast<cudaStream_t>(stream));
        else
            launch_norm<T, T>(inputs, static_cast<cudaStream_t>(stream));
    });
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

void gate_cuda(const GateInputs& inputs, void* stream)
{
    if (inputs.rows == 0 || inputs.wide == 0)
        return;
    for_type(inputs.type, [&](auto element) {
        using T = decltype(element);
        const bool packs = in_packs<T>(inputs.gate_up, inputs.wide, 0) && in_packs<T>(inputs.out, inputs.wide, 0);
        auto* const kernel = packs ? gate<T, true> : gate<T, false>;
        const std::int64_t count = inputs.rows * inputs.wide / (packs ? Pack<T>::size : 1);
        kernel<<<blocks_for(count), threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs);
    });
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

void rotate_cuda(const RotateInputs& inputs, void* stream)
{
    constexpr std::int64_t most_rows = 65535; // of a grid
    const std::int64_t bytes = inputs.type == ElementType::float32 ? 4 : 2;
    const std::int64_t table_bytes = inputs.wide_tables ? 4 : bytes;
    for (std::int64_t begin = 0; begin < inputs.rows; begin += most_rows) {
        RotateInputs part = inputs;
        part.rows = std::min(most_rows, inputs.rows - begin);
        part.x = static_cast<char*>(inputs.x) + begin * inputs.row_stride * bytes;
        part.cos = static_cast<const char*>(inputs.cos) + begin * inputs.dims * table_bytes;
        part.sin = static_cast<const char*>(inputs.sin) + begin * inputs.dims * table_bytes;
        if (inputs.heads == 0 || inputs.batch == 0 || inputs.dims == 0)
            return;
        for_type(inputs.type, [&](auto element) {
            using T = decltype(element);
            if (inputs.wide_tables)
                launch_rotate<T, float>(part, static_cast<cudaStream_t>(stream));
            else
                launch_rotate<T, T>(part, static_cast<cudaStream_t>(stream));
        });
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }
}

} // namespace keepset::kernels
