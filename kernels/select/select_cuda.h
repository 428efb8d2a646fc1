#pragma once

#include "kernels/select/select.h"

namespace keepset::kernels {

/// CudaModule::select.
void select_cuda(const SelectInputs& inputs, std::int64_t* first_bad, void* stream);

} // namespace keepset::kernels
