#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

/// The instructions of sm_90a that CUDA C++ has no names for: barriers in shared memory, the bulk copy engine, and the
/// products of a warpgroup (4 warps). PTX ISA: mbarrier, cp.async.bulk.tensor, wgmma.
namespace keepset::kernels::hopper {

__device__ inline std::uint32_t shared_address(const void* pointer)
{
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ inline void init_barrier(std::uint64_t& barrier, int arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals));
}

/// Makes initialised barriers visible to the copy engine.
__device__ inline void fence_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

__device__ inline void arrive(std::uint64_t& barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier)) : "memory");
}

/// Arrives, and lets the phase wait for `bytes` of bulk copies too.
__device__ inline void arrive_and_expect(std::uint64_t& barrier, int bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)), "r"(bytes)
                 : "memory");
}

/// Until the phase of this parity is over.
__device__ inline void wait(std::uint64_t& barrier, int parity)
{
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@done bra over;\n"
                 "bra again;\n"
                 "over:\n"
                 "}\n" ::"r"(shared_address(&barrier)),
                 "r"(parity)
                 : "memory");
}

/// Copies the box of a 3-dimensional tensor map at (x, y, z) to shared memory; out of bounds it is filled with zeros.
__device__ inline void copy_box(void* to, const void* map, std::uint64_t& barrier, int x, int y, int z)
{
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::
            "r"(shared_address(to)),
        "l"(map), "r"(shared_address(&barrier)), "r"(x), "r"(y), "r"(z)
        : "memory");
}

template <int registers> __device__ inline void take_registers()
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

template <int registers> __device__ inline void give_registers()
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

__device__ inline void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Until at most `pending` committed groups are unfinished.
template <int pending> __device__ inline void wait_products()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

/// Descriptor of rows of 64 16-bit elements in 128-byte swizzle, 8 rows 1024 bytes apart from the next 8.
__device__ inline std::uint64_t swizzled_rows(const void* pointer)
{
    constexpr std::uint64_t leading = 1; // not looked at for this layout
    constexpr std::uint64_t stride = 1024 >> 4U;
    constexpr std::uint64_t swizzle_128 = 1;
    return ((shared_address(pointer) & 0x3ffffU) >> 4U) | leading << 16U | stride << 32U | swizzle_128 << 62U;
}

// Lists of registers for the products' text.
#define KEEPSET_R8(f, n) f(n), f(n + 1), f(n + 2), f(n + 3), f(n + 4), f(n + 5), f(n + 6), f(n + 7)
#define KEEPSET_R32(f, n) KEEPSET_R8(f, n), KEEPSET_R8(f, n + 8), KEEPSET_R8(f, n + 16), KEEPSET_R8(f, n + 24)
#define KEEPSET_OUT(n) "+f"(sums[n])
#define KEEPSET_NAMES64                                                                                                \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                                           \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "                                 \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "                                 \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define KEEPSET_NAMES96                                                                                                \
    KEEPSET_NAMES64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "               \
                    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define KEEPSET_PRODUCT_128(type)                                                                                      \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, %69, 0;\n"                                                      \
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type " {" KEEPSET_NAMES64 "}, "               \
                 "{%64, %65, %66, %67}, %68, add, 1, 1, 0;\n}\n"                                                       \
                 : KEEPSET_R32(KEEPSET_OUT, 0), KEEPSET_R32(KEEPSET_OUT, 32)                                           \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add))
#define KEEPSET_PRODUCT_192(type)                                                                                      \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, %101, 0;\n"                                                     \
                 "wgmma.mma_async.sync.aligned.m64n192k16.f32." type "." type " {" KEEPSET_NAMES96 "}, "               \
                 "{%96, %97, %98, %99}, %100, add, 1, 1, 0;\n}\n"                                                      \
                 : KEEPSET_R32(KEEPSET_OUT, 0), KEEPSET_R32(KEEPSET_OUT, 32), KEEPSET_R32(KEEPSET_OUT, 64)             \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add))

/// sums (64, 2·registers) = a (64, 16) · bᵀ (2·registers, 16), plus what was there where `add`; queued. Thread t of the
/// warpgroup has of rows t/32·16 + t%32/4 (+ 8) the columns 2·(t%4), + 1 of every 8: four floats an 8.
template <typename T, int registers>
__device__ inline void product(float (&sums)[registers], const std::uint32_t (&a)[4], std::uint64_t b, int add)
{
    static_assert(registers == 64 || registers == 96);
    constexpr bool bfloat16 = std::is_same_v<T, __nv_bfloat16>;
    if constexpr (registers == 64 && bfloat16)
        KEEPSET_PRODUCT_128("bf16");
    else if constexpr (registers == 64)
        KEEPSET_PRODUCT_128("f16");
    else if constexpr (bfloat16)
        KEEPSET_PRODUCT_192("bf16");
    else
        KEEPSET_PRODUCT_192("f16");
}

#undef KEEPSET_PRODUCT_192
#undef KEEPSET_PRODUCT_128
#undef KEEPSET_NAMES96
#undef KEEPSET_NAMES64
#undef KEEPSET_OUT
#undef KEEPSET_R32
#undef KEEPSET_R8

} // namespace keepset::kernels::hopper
