#pragma once

#include "kernels/cuda_check.h"
#include "kernels/cuda_module.h"
#include "tests/kernels/importance_case.h"

#include <cstddef>
#include <string>
#include <vector>

/// What the CUDA test and the benchmark need of a device.
namespace keepset::kernels::test {

/// Memory on the current device.
class DeviceBuffer {
public:
    explicit DeviceBuffer(std::size_t bytes);
    DeviceBuffer(const void* host, std::size_t bytes);
    ~DeviceBuffer();
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;

    void* data() const { return data_; }
    void copy_to(void* host, std::size_t bytes) const;

private:
    void* data_ = nullptr;
};

struct LoadedModule {
    const CudaModule* module = nullptr; ///< null where it cannot be used
    std::string reason; ///< why not
};

/// Loads libkeepset_cuda.so from `folder` as core does and looks for a device.
LoadedModule load_cuda_module(const std::string& folder);

/// Rounds q and k to what `type` holds (a float stays), so that the reference sees the very same inputs, and returns
/// q's and k's bytes in that type.
struct TypedInputs {
    std::vector<std::byte> q;
    std::vector<std::byte> k;
};
TypedInputs round_to(ElementType type, ImportanceCase& values);

} // namespace keepset::kernels::test
