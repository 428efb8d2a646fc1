#pragma once

#include "core/attention/column_sums.h"

#include <ATen/core/Tensor.h>

namespace keepset {

/// kernels::select_cpu on memory of the host, by the threads of `backend` or by `device` where that is a GPU and the
/// copies there and back cost less than the threads would take. Both give the same labels.
std::int64_t label_rows(const kernels::SelectInputs& inputs, const Backend& backend, at::Device device);

} // namespace keepset
