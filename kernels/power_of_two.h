#pragma once

/// Exponentials of the kernels that sum e^x as 2^(log2(e)·x).
namespace keepset::kernels {

constexpr float log2_e = 1.4426950408889634F;

/// 2^x to 2 units in the last place; 0 below -126.
__device__ inline float power_of_two(float x)
{
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

} // namespace keepset::kernels
