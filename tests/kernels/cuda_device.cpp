#include "tests/kernels/cuda_device.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <dlfcn.h>

namespace keepset::kernels::test {

namespace {

    template <typename T> void append(std::vector<std::byte>& bytes, const T& value)
    {
        const std::size_t at = bytes.size();
        bytes.resize(at + sizeof value);
        std::memcpy(bytes.data() + at, &value, sizeof value);
    }

    std::vector<std::byte> rounded(ElementType type, std::vector<float>& values)
    {
        std::vector<std::byte> bytes;
        bytes.reserve(values.size() * sizeof(float));
        for (float& value : values) {
            if (type == ElementType::bfloat16) {
                const __nv_bfloat16 half = __float2bfloat16_rn(value);
                value = __bfloat162float(half);
                append(bytes, half);
            } else if (type == ElementType::float16) {
                const __half half = __float2half_rn(value);
                value = __half2float(half);
                append(bytes, half);
            } else {
                append(bytes, value);
            }
        }
        return bytes;
    }

} // namespace

DeviceBuffer::DeviceBuffer(std::size_t bytes)
{
    KEEPSET_CHECK_CUDA(cudaMalloc(&data_, bytes));
    KEEPSET_CHECK_CUDA(cudaMemset(data_, 0, bytes));
}

DeviceBuffer::DeviceBuffer(const void* host, std::size_t bytes)
{
    KEEPSET_CHECK_CUDA(cudaMalloc(&data_, bytes));
    KEEPSET_CHECK_CUDA(cudaMemcpy(data_, host, bytes, cudaMemcpyHostToDevice));
}

DeviceBuffer::~DeviceBuffer() { cudaFree(data_); }

void DeviceBuffer::copy_to(void* host, std::size_t bytes) const
{
    KEEPSET_CHECK_CUDA(cudaMemcpy(host, data_, bytes, cudaMemcpyDeviceToHost));
}

LoadedModule load_cuda_module(const std::string& folder)
{
    void* library = dlopen((folder + "/libkeepset_cuda.so").c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr)
        return { nullptr, std::string("the CUDA module does not load here: ") + dlerror() };
    const auto function = reinterpret_cast<CudaModuleFn>(dlsym(library, cuda_module_symbol));
    if (function == nullptr)
        return { nullptr, "the CUDA module has no keepset_cuda_module" };
    int devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess || devices == 0)
        return { nullptr, std::string("there is no CUDA device: ") + cudaGetErrorString(status) };
    return { function(), {} };
}

TypedInputs round_to(ElementType type, ImportanceCase& values)
{
    return { rounded(type, values.q), rounded(type, values.k) };
}

} // namespace keepset::kernels::test
