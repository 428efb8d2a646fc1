#pragma once

#include <cstdint>

namespace keepset::kernels {

/// CudaModule::exponentials.
std::int64_t exponentials_cuda(float* out, void* stream);

} // namespace keepset::kernels
