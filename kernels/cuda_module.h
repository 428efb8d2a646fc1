#pragma once

#include "kernels/attend/attend.h"
#include "kernels/bridges/bridges_cuda.h"
#include "kernels/importance/importance.h"
#include "kernels/map/attention_map.h"
#include "kernels/ops/ops_cuda.h"
#include "kernels/select/select.h"

#include <cstddef>
#include <string>

/// The CUDA kernels live in a module (libkeepset_cuda.so) that core loads at run time (dlopen), so that programs start
/// fast and run where no GPU is. This table is all that crosses the border.
namespace keepset::kernels {

inline constexpr int cuda_module_version = 10;

/// What the CUDA runtime says of the driver. Versions are 1000 · major + 10 · minor, as CUDA counts them.
struct CudaDriver {
    int supports = 0; ///< the newest CUDA that the driver runs; 0: there is no driver
    int needs = 0; ///< the CUDA that this module was built with
    int devices = 0; ///< that can be used
    std::string problem; ///< why they cannot be counted, in CUDA's words; empty where they can
};

struct CudaModule {
    int version = 0; ///< cuda_module_version it was built with
    std::size_t bytes = 0; ///< sizeof(CudaModule) there: tells a table of other entries that kept its version
    /// Lowest compute capability, 10 · major + minor, for which there is code of its kernels (80: Ampere).
    int minimum_capability = 0;
    /// Never throws.
    CudaDriver (*driver)() = nullptr;
    /// Compute capability of a device, 10 · major + minor. Throws std::runtime_error.
    int (*capability)(int device) = nullptr;
    /// importance_reference on the device, float32, bfloat16 or float16; queued on `stream` (a cudaStream_t), no
    /// synchronisation, no allocation. Deterministic: no order of blocks changes a sum. Throws std::runtime_error.
    void (*importance)(const ImportanceInputs& inputs, float* sums, void* stream) = nullptr;
    /// Bytes that inputs.workspace must hold, on the current device, which runs them; 0: none. Throws
    /// std::runtime_error.
    std::int64_t (*importance_workspace)(const ImportanceInputs& inputs) = nullptr;
    /// Attention by a rule that the libraries' kernels do not know, as attend.h says.
    decltype(&attend_cuda) attend = nullptr;
    /// select_cpu on the device: at least one plan; scores, the plans' labels and first_bad (one number: the first
    /// score that is not finite, or -1) are there. Queued on `stream`, no synchronisation, no allocation.
    void (*select)(const SelectInputs& inputs, std::int64_t* first_bad, void* stream) = nullptr;
    /// attention_map_cpu on the device, of all rows of cells, float32, bfloat16 or float16; queued on `stream`, no
    /// synchronisation, no allocation. map.attention.workspace holds attention_map_workspace bytes, their content of no
    /// matter. Deterministic: no atomics. Throws std::runtime_error.
    void (*attention_map)(const AttentionMapInputs& map, float* cells, void* stream) = nullptr;
    std::int64_t (*attention_map_workspace)(const AttentionMapInputs& map) = nullptr;
    /// What bridges are made of, as bridges_cuda.h says.
    decltype(&flow_cuda) flow = nullptr;
    decltype(&add_probabilities_cuda) add_probabilities = nullptr;
    decltype(&add_edges_cuda) add_edges = nullptr;
    decltype(&curvature_cuda) curvature = nullptr;
    decltype(&curvature_cuda_workspace) curvature_workspace = nullptr;
    /// Small operations between library calls, as ops_cuda.h says.
    decltype(&norm_cuda) norm = nullptr;
    decltype(&gate_cuda) gate = nullptr;
    decltype(&rotate_cuda) rotate = nullptr;
    decltype(&score_rows_cuda) score_rows = nullptr;
    decltype(&kept_rows_cuda) kept_rows = nullptr;
    decltype(&pack_kept_cuda) pack_kept = nullptr;
    decltype(&score_logits_cuda) score_logits = nullptr;
    /// Exponentials on all of the current device for some milliseconds, and nothing else: what binds the column sums
    /// where head_dim is small. Returns how many. out: one number, left alone. Queued on `stream`.
    std::int64_t (*exponentials)(float* out, void* stream) = nullptr;
    /// Name of a device for people ("NVIDIA H200"). Throws std::runtime_error.
    std::string (*device_name)(int device) = nullptr;
    /// Bytes free on a device now, and all it has. Throws std::runtime_error.
    void (*memory)(int device, std::int64_t& free, std::int64_t& total) = nullptr;
};

/// The one symbol of the module, extern "C".
inline constexpr const char* cuda_module_symbol = "keepset_cuda_module";
using CudaModuleFn = const CudaModule* (*)();

} // namespace keepset::kernels
