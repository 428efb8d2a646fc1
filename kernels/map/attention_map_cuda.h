#pragma once

#include "kernels/map/attention_map.h"

namespace keepset::kernels {

/// CudaModule::attention_map.
void attention_map_cuda(const AttentionMapInputs& map, float* cells, void* stream);

/// CudaModule::attention_map_workspace.
std::int64_t attention_map_cuda_workspace(const AttentionMapInputs& map);

} // namespace keepset::kernels
