#include "core/bench.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>

namespace keepset {

namespace {

    /// nullptr where no GPU was used.
    c10::DeviceAllocator* gpu_memory()
    {
        if (!at::detail::getCUDAHooks().hasCUDA() || !at::detail::getCUDAHooks().hasPrimaryContext(0))
            return nullptr;
        return c10::getDeviceAllocator(c10::kCUDA);
    }

} // namespace

std::int64_t peak_bytes()
{
    auto* const memory = gpu_memory();
    if (memory == nullptr)
        return 0;
    constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return memory->getDeviceStats(0).allocated_bytes[all].peak;
}

void forget_peak_bytes()
{
    if (auto* const memory = gpu_memory())
        memory->resetPeakStats(0);
}

} // namespace keepset
