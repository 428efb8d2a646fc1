#pragma once

#include "kernels/ops/kept_rows.h"
#include "kernels/ops/layer_ops.h"
#include "kernels/ops/pack_kept.h"
#include "kernels/ops/score_logits.h"
#include "kernels/ops/score_rows.h"

#include <cstdint>

/// The small operations between library calls, on the device that holds their memory. All are queued on `stream` (a
/// cudaStream_t), without synchronisation or allocation, and are deterministic. They throw std::runtime_error.
namespace keepset::kernels {

/// score_rows_cpu, to the last bit.
void score_rows_cuda(const ScoreRowsInputs& inputs, float* scores, double* mass, void* stream);

/// kept_rows_cpu; `positions` and `facts` are on the device, as the inputs are.
void kept_rows_cuda(const KeptRowsInputs& inputs, std::int32_t* positions, KeptFacts* facts, void* stream);

/// pack_kept_reference.
void pack_kept_cuda(const PackInputs& inputs, void* stream);

/// score_logits_reference of logits of any type: float sums of eight logits in double.
void score_logits_cuda(const LogitInputs& inputs, const LogitScores& scores, void* stream);

/// norm_reference and the other two of any type, in float, rounded where layer_ops.h says.
void norm_cuda(const NormInputs& inputs, void* stream);
void gate_cuda(const GateInputs& inputs, void* stream);
void rotate_cuda(const RotateInputs& inputs, void* stream);

} // namespace keepset::kernels
