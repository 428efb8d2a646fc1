#pragma once

#include "kernels/importance/importance.h"

namespace keepset::kernels {

/// CudaModule::importance.
void importance_cuda(const ImportanceInputs& inputs, float* sums, void* stream);

/// CudaModule::importance_workspace.
std::int64_t importance_cuda_workspace(const ImportanceInputs& inputs);

} // namespace keepset::kernels
