#pragma once

#include "core/model/device.h"
#include "core/types.h"

namespace keepset {

/// Bytes that are free for this process, and all there are; -1 where that cannot be told. On the CPU the least of what
/// the system has available, what the control group leaves and what the address-space limit (ulimit -v) leaves.
struct DeviceMemory {
    std::int64_t free = -1;
    std::int64_t total = -1;
};
DeviceMemory memory_of(const ChosenDevice& chosen);

/// Throws Error{memory} with the numbers where `need` does not fit.
void refuse_too_large(const MemoryNeed& need);

} // namespace keepset
