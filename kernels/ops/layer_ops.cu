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

    /// Sum over a block, for all of its threads.
    __device__ float block_sum(float value)
    {
        __shared__ float parts[threads / 32];
        for (int distance = 16; distance > 0; distance /= 2)
            value += __shfl_xor_sync(~0U, value, distance);
        if (threadIdx.x % 32 == 0)
            parts[threadIdx.x / 32] = value;
        __syncthreads();
        float sum = 0;
        for (int warp = 0; warp < threads / 32; ++warp)
            sum += parts[warp];
        return sum;
    }

    /// A block has a row.
    template <typename T, typename Weight> __global__ void __launch_bounds__(threads) norm(NormInputs inputs)
    {
        const T* const x = static_cast<const T*>(inputs.x) + blockIdx.x * inputs.row_stride;
        const Weight* const weight = static_cast<const Weight*>(inputs.weight);
        T* const out = static_cast<T*>(inputs.out) + blockIdx.x * inputs.size;
        float sum = 0;
        for (int64_t i = threadIdx.x; i < inputs.size; i += threads) {
            const float value = to_float(x[i]);
            sum = fmaf(value, value, sum);
        }
        const float inverse = rsqrtf(block_sum(sum) / static_cast<float>(inputs.size) + inputs.eps);
        constexpr bool wide = std::is_same_v<Weight, float> && !std::is_same_v<T, float>;
        for (int64_t i = threadIdx.x; i < inputs.size; i += threads) {
            const float normed = to_float(x[i]) * inverse;
            out[i] = rounded<T>((wide ? normed : through<T>(normed)) * to_float(weight[i]));
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

    template <typename T> __global__ void __launch_bounds__(threads) gate(GateInputs inputs)
    {
        const int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
        if (i >= inputs.wide)
            return;
        const T* const row = static_cast<const T*>(inputs.gate_up) + blockIdx.y * 2 * inputs.wide;
        static_cast<T*>(inputs.out)[blockIdx.y * inputs.wide + i]
            = rounded<T>(through<T>(activated(inputs.gate, to_float(row[i]))) * to_float(row[inputs.wide + i]));
    }

    /// A thread has one pair of dims of one row of one head.
    template <typename T, typename Table> __global__ void __launch_bounds__(threads) rotate(RotateInputs inputs)
    {
        const int64_t half = inputs.dims / 2;
        const int64_t index = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
        const int64_t head = index / half;
        if (head >= inputs.heads)
            return;
        const int64_t dim = index % half;
        const int64_t row = blockIdx.y;
        const int64_t batch = blockIdx.z;
        T* const x = static_cast<T*>(inputs.x) + batch * inputs.batch_stride + head * inputs.head_stride
            + row * inputs.row_stride;
        const int64_t table = batch * inputs.table_batch_stride + row * inputs.dims + dim;
        const Table* const cos = static_cast<const Table*>(inputs.cos) + table;
        const Table* const sin = static_cast<const Table*>(inputs.sin) + table;
        constexpr bool wide = std::is_same_v<Table, float>;
        const float low = to_float(x[dim]);
        const float high = to_float(x[dim + half]);
        const auto kept = [&](float product) { return wide ? product : through<T>(product); };
        x[dim] = rounded<T>(kept(low * to_float(cos[0])) - high * to_float(sin[0]));
        x[dim + half] = rounded<T>(kept(high * to_float(cos[half])) + low * to_float(sin[half]));
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

} // namespace

void norm_cuda(const NormInputs& inputs, void* stream)
{
    if (inputs.rows == 0)
        return;
    for_type(inputs.type, [&](auto element) {
        using T = decltype(element);
        const auto blocks = static_cast<unsigned>(inputs.rows);
        if (inputs.wide_weight)
            norm<T, float><<<blocks, threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs);
        else
            norm<T, T><<<blocks, threads, 0, static_cast<cudaStream_t>(stream)>>>(inputs);
    });
    KEEPSET_CHECK_CUDA(cudaGetLastError());
}

void gate_cuda(const GateInputs& inputs, void* stream)
{
    constexpr std::int64_t most_rows = 65535; // of a grid
    for (std::int64_t begin = 0; begin < inputs.rows; begin += most_rows) {
        GateInputs part = inputs;
        const std::int64_t bytes = inputs.type == ElementType::float32 ? 4 : 2;
        part.rows = std::min(most_rows, inputs.rows - begin);
        part.gate_up = static_cast<const char*>(inputs.gate_up) + begin * 2 * inputs.wide * bytes;
        part.out = static_cast<char*>(inputs.out) + begin * inputs.wide * bytes;
        const dim3 grid(blocks_for(inputs.wide), static_cast<unsigned>(part.rows));
        for_type(inputs.type, [&](auto element) {
            gate<decltype(element)><<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(part);
        });
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }
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
        const dim3 grid(blocks_for(inputs.heads * (inputs.dims / 2)), static_cast<unsigned>(part.rows),
            static_cast<unsigned>(inputs.batch));
        if (inputs.heads == 0 || inputs.batch == 0 || inputs.dims == 0)
            return;
        for_type(inputs.type, [&](auto element) {
            using T = decltype(element);
            if (inputs.wide_tables)
                rotate<T, float><<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(part);
            else
                rotate<T, T><<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(part);
        });
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }
}

} // namespace keepset::kernels
