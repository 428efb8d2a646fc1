#pragma once

#include "core/device/device.h"
#include "core/model_info.h"
#include "core/preflight.h"

namespace keepset {

/// Rows of logits that are made at a time, and rows of the size of the vocabulary, in float32, that scoring targets
/// holds at most (core/sweep/target_score.h).
inline constexpr std::int64_t logit_block = 128;
inline constexpr std::int64_t logit_rows = 6 * logit_block;

/// Bytes that are free for this process, and all there are; -1 where that cannot be told. On the CPU the least of what
/// the system has available, what the control group leaves and what the address-space limit (ulimit -v) leaves.
struct DeviceMemory {
    std::int64_t free = -1;
    std::int64_t total = -1;
};
/// Of one of its devices; of all of them together.
DeviceMemory memory_of(const ChosenDevice& chosen, at::Device device);
DeviceMemory memory_of(const ChosenDevice& chosen);

/// choose_device; where no single GPU was asked for and the model does not fit on the first, as many more as it takes.
ChosenDevice choose_devices_for(const ModelInfo& info, const OpenOptions& options, std::int64_t context);

/// Where each of the model's layers goes, by what is free on each device once the first one has the embedding and the
/// head, which are of `dtype` as the layers are.
std::vector<at::Device> place_layers(const ModelInfo& info, const ChosenDevice& chosen, at::ScalarType dtype);

/// Of a model, what decides how much memory a pass takes.
struct PassSizes {
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t hidden_size = 0;
    std::int64_t intermediate_size = 0; ///< of all experts that a token goes through
    std::int64_t vocabulary = 0;
};
/// Bytes that one window of a sweep holds on a GPU at most, an estimate: keys and values of its context, and the larger
/// of what reading the context and scoring the targets take. `rows`: target rows that go through a layer together;
/// `packed`: keys of a kv head that they attend to, all points together.
std::int64_t bytes_of_window(
    const PassSizes& sizes, std::int64_t element, std::int64_t context, std::int64_t rows, std::int64_t packed);

/// Asks for large pages under memory that is about to be filled, where the system leaves the choice to programs. They
/// are quicker to fill and to give back: half a gigabyte in small ones takes longer than a stop may.
void prefer_large_pages(void* memory, std::size_t bytes);

/// Throws Error{memory} with the numbers where `need` does not fit.
void refuse_too_large(const MemoryNeed& need);

} // namespace keepset
