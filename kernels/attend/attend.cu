#include "kernels/attend/attend_kernel.h"
#include "kernels/cuda_check.h"

#include <stdexcept>

namespace keepset::kernels {

namespace {

    template <typename T> void launch(const AttendInputs& inputs, void* output, float* row_lse, cudaStream_t stream)
    {
        KEEPSET_CHECK_CUDA(
            cudaFuncSetAttribute(attend::attend<T>, cudaFuncAttributeMaxDynamicSharedMemorySize, T::shared_bytes));
        const dim3 grid(static_cast<unsigned>((inputs.queries + T::queries - 1) / T::queries),
            static_cast<unsigned>(inputs.heads), static_cast<unsigned>(inputs.samples));
        attend::attend<T><<<grid, attend::threads, T::shared_bytes, stream>>>(inputs, output, row_lse);
        KEEPSET_CHECK_CUDA(cudaGetLastError());
    }

    template <typename Element, bool plain>
    void launch_of(const AttendInputs& inputs, void* output, float* row_lse, cudaStream_t stream)
    {
        if (inputs.head_dim <= 64)
            launch<attend::Tile<Element, 64, 2, 64, plain>>(inputs, output, row_lse, stream);
        else if (inputs.head_dim <= 128)
            launch<attend::Tile<Element, 128, 1, 64, plain>>(inputs, output, row_lse, stream);
        else
            launch<attend::Tile<Element, 256, 1, 32, plain>>(inputs, output, row_lse, stream);
    }

} // namespace

void attend_cuda(const AttendInputs& inputs, void* output, float* row_lse, void* stream)
{
    if (inputs.queries == 0 || inputs.samples == 0)
        return;
    if (inputs.head_dim % 16 != 0 || inputs.head_dim > 256 || inputs.type == ElementType::float32)
        throw std::runtime_error("attention by a rule takes 16 bits and head sizes in multiples of 16 up to 256");
    const bool plain = inputs.softcap == 0 && inputs.key_bias == nullptr;
    const bool half = inputs.type == ElementType::float16;
    auto* const run = half ? plain ? launch_of<__half, true> : launch_of<__half, false>
        : plain ? launch_of<__nv_bfloat16, true>
                           : launch_of<__nv_bfloat16, false>;
    run(inputs, output, row_lse, static_cast<cudaStream_t>(stream));
}

} // namespace keepset::kernels
