#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

/// Elements of every type as floats, on a device.
namespace keepset::kernels {

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline float to_float(__half value) { return __half2float(value); }

template <typename T> __device__ T rounded(float value);
template <> __device__ inline float rounded<float>(float value) { return value; }
template <> __device__ inline __nv_bfloat16 rounded<__nv_bfloat16>(float value) { return __float2bfloat16_rn(value); }
template <> __device__ inline __half rounded<__half>(float value) { return __float2half_rn(value); }

/// 16 bytes of elements, as one instruction moves them.
template <typename T> struct Pack {
    static constexpr int size = 16 / static_cast<int>(sizeof(T));
    union {
        uint4 bits;
        T elements[size];
    };
    __device__ Pack() { }
    __device__ explicit Pack(const T* from)
        : bits(*reinterpret_cast<const uint4*>(from))
    {
    }
    __device__ void store(T* to) const { *reinterpret_cast<uint4*>(to) = bits; }
};

/// Whether rows of so many elements, a stride apart, are whole packs from the first on.
template <typename T> bool in_packs(const void* rows, std::int64_t size, std::int64_t stride)
{
    return reinterpret_cast<std::uintptr_t>(rows) % 16 == 0 && size % Pack<T>::size == 0 && stride % Pack<T>::size == 0;
}

} // namespace keepset::kernels
