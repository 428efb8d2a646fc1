#pragma once

#include "kernels/importance/importance.h"

#include <cuda_runtime_api.h>

/// The implementations behind CudaModule::importance, and what they share. All of them queue on `stream`, allocate
/// nothing and add to sums (heads, keys). Inner header of the CUDA module.
namespace keepset::kernels {

/// Any type, head_dim and stride; needs no workspace.
void importance_simple(const ImportanceInputs& inputs, float* sums, cudaStream_t stream);

/// Tensor memory accelerator and wgmma, on compute capability 9.0. Returns false, with nothing queued, where the inputs
/// are not its own.
bool importance_hopper(const ImportanceInputs& inputs, float* sums, cudaStream_t stream);
/// Bytes of workspace it wants for these inputs; 0 where they are not its own.
std::int64_t importance_hopper_workspace(const ImportanceInputs& inputs);

/// mma.sync, on compute capability 8.0 and up: bfloat16 and float16, head_dim a multiple of 16 up to 256, rows that
/// begin at multiples of 16 bytes. Returns and wants the same.
bool importance_mma(const ImportanceInputs& inputs, float* sums, cudaStream_t stream);
std::int64_t importance_mma_workspace(const ImportanceInputs& inputs);

/// The current device. Its answers come from the runtime's own table, so a call costs no more than a look.
struct DeviceLimits {
    int capability = 0; ///< 10 · major + minor
    int multiprocessors = 0;
};
DeviceLimits device_limits();

inline constexpr std::int64_t max_query_parts = 32;
inline constexpr std::int64_t max_partial_bytes = 32LL << 20;

/// Into how many parts the queries are cut so that a launch of `blocks` blocks without a cut has `enough` of them: 1
/// where it has. At most `steps`, the query steps of the longest block, and no more than max_partial_bytes hold with a
/// row of `heads · keys` floats a part.
std::int64_t query_parts(std::int64_t blocks, std::int64_t steps, const AttentionShape& shape, std::int64_t enough);

/// Adds partial (parts, heads, keys), part after part, to sums (heads, keys) by the shape's stride.
void add_query_parts(
    const float* partial, std::int64_t parts, const AttentionShape& shape, float* sums, cudaStream_t stream);

} // namespace keepset::kernels
