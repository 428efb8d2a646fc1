#pragma once

#include "kernels/importance.h"

namespace keepset::kernels {

/// CudaModule::importance.
void importance_cuda(const ImportanceInputs& inputs, float* sums, void* stream);

} // namespace keepset::kernels
