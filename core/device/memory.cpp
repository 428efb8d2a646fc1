#include "core/device/memory.h"

#include "core/error.h"
#include "core/model_info.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include <sys/mman.h>
#include <sys/resource.h>

namespace keepset {

namespace {

    /// Far beyond any text, and small enough that bytes for it can be counted in 64 bits.
    constexpr std::int64_t longest_context = std::int64_t { 1 } << 40U;
    constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

    /// A number of a line "Name:  123 kB", in bytes; -1 where the file has no such line.
    std::int64_t kilobytes_of(const char* file, const std::string& name)
    {
        std::ifstream stream(file);
        for (std::string word; stream >> word;) {
            std::int64_t value = 0;
            if (word == name && stream >> value)
                return value * 1024;
        }
        return -1;
    }

    /// The only number of a file; `unlimited` where it says "max" or cannot be read.
    std::int64_t number_in(const std::string& file)
    {
        std::ifstream stream(file);
        std::int64_t value = 0;
        return stream >> value ? value : unlimited;
    }

    /// What the control group (version 2) of this process leaves, cached files counted as free, as the kernel gives
    /// them back.
    std::int64_t left_in_control_group()
    {
        std::ifstream own("/proc/self/cgroup");
        std::string line;
        std::getline(own, line);
        if (!line.starts_with("0::"))
            return unlimited;
        const std::string folder = "/sys/fs/cgroup" + line.substr(3);
        const std::int64_t most = number_in(folder + "/memory.max");
        const std::int64_t used = number_in(folder + "/memory.current");
        if (most == unlimited || used == unlimited)
            return unlimited;
        std::ifstream statistics(folder + "/memory.stat");
        std::int64_t cached = 0;
        for (std::string word; statistics >> word;) {
            if (word == "inactive_file")
                statistics >> cached;
        }
        return std::max<std::int64_t>(0, most - used + cached);
    }

    std::int64_t left_in_address_space()
    {
        rlimit limit {};
        const std::int64_t used = kilobytes_of("/proc/self/status", "VmSize:");
        if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || used < 0)
            return unlimited;
        return std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - used);
    }

    std::int64_t bytes_of(at::ScalarType type) { return static_cast<std::int64_t>(c10::elementSize(type)); }

    PassSizes sizes_of(const ModelInfo& info)
    {
        return { info.layers, info.heads, info.kv_heads, info.head_dim, info.hidden_size, info.intermediate_size,
            info.vocabulary };
    }

    std::int64_t cache_bytes(const PassSizes& sizes, std::int64_t element, std::int64_t context)
    {
        return 2 * sizes.layers * sizes.kv_heads * sizes.head_dim * context * element;
    }

    /// Largest work space of an analysis or a window of a sweep, as the decoder takes it: hidden states and their norm
    /// in float32, projections and their rotated copies, the attention's output, a block of the MLP, importance and
    /// log-sum-exp of every layer with the copy that joins them, and the rows of logits that scoring targets has at one
    /// time, however many targets there are. `rows` go through a layer together.
    std::int64_t work_space(const PassSizes& sizes, std::int64_t element, std::int64_t context, std::int64_t rows)
    {
        constexpr std::int64_t float_bytes = 4;
        const std::int64_t queries = sizes.heads * sizes.head_dim;
        const std::int64_t keys = sizes.kv_heads * sizes.head_dim;
        const std::int64_t block = std::min<std::int64_t>(rows, 16384);
        return rows * sizes.hidden_size * (2 * element + 3 * float_bytes) + rows * (queries + 2 * keys) * 2 * element
            + rows * queries * 2 * element + block * 2 * (sizes.intermediate_size + sizes.hidden_size) * element
            + 4 * sizes.layers * sizes.heads * context * float_bytes + logit_rows * sizes.vocabulary * float_bytes;
    }

    std::string gigabytes(std::int64_t bytes)
    {
        const double value = static_cast<double>(bytes) / 1e9;
        std::array<char, 32> text {}; // not printf: its decimal sign is the user's
        const int decimals = value < 10 ? 2 : 1;
        const auto end
            = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
        return std::string(text.data(), end) + " GB";
    }

} // namespace

DeviceMemory memory_of(const ChosenDevice& chosen)
{
    DeviceMemory all { 0, 0 };
    for (const at::Device& device : chosen.devices) {
        const DeviceMemory one = memory_of(chosen, device);
        if (one.free < 0)
            return one;
        all.free += one.free;
        all.total += one.total;
    }
    return all;
}

DeviceMemory memory_of(const ChosenDevice& chosen, at::Device device)
{
    DeviceMemory memory;
    if (device.is_cuda()) {
        chosen.backend.cuda->memory(device.index(), memory.free, memory.total);
        return memory;
    }
    memory.total = kilobytes_of("/proc/meminfo", "MemTotal:");
    memory.free = kilobytes_of("/proc/meminfo", "MemAvailable:");
    if (memory.free >= 0)
        memory.free = std::min({ memory.free, left_in_control_group(), left_in_address_space() });
    return memory;
}

namespace {

    MemoryNeed need_on(
        const ChosenDevice& chosen, const ModelInfo& info, const OpenOptions& options, std::int64_t context)
    {
        const at::ScalarType dtype = choose_dtype(options.dtype, info.checkpoint_dtype, chosen.device);
        const DeviceMemory memory = memory_of(chosen);
        MemoryNeed need;
        need.device = chosen.text();
        need.device_name = chosen.name;
        need.dtype = dtype_name(dtype);
        need.context = std::min(context > 0 ? context : info.max_context, longest_context);
        need.weights = info.parameters * bytes_of(dtype);
        need.cache = cache_bytes(sizes_of(info), bytes_of(dtype), need.context);
        need.work = work_space(sizes_of(info), bytes_of(dtype), need.context, need.context);
        need.free = memory.free;
        need.total = memory.total;
        return need;
    }

} // namespace

MemoryNeed memory_need(const ModelInfo& info, const OpenOptions& options, std::int64_t context)
{
    return need_on(choose_devices_for(info, options, context), info, options, context);
}

ChosenDevice choose_devices_for(const ModelInfo& info, const OpenOptions& options, std::int64_t context)
{
    ChosenDevice chosen = choose_device(options);
    if (!chosen.device.is_cuda() || (options.device != "auto" && options.device != "cuda"))
        return chosen;
    while (!need_on(chosen, info, options, context).fits()) {
        const ChosenDevice more = add_device(chosen);
        if (more.devices.size() == chosen.devices.size())
            break;
        chosen = more;
    }
    return chosen;
}

std::vector<at::Device> place_layers(const ModelInfo& info, const ChosenDevice& chosen, at::ScalarType dtype)
{
    if (chosen.devices.size() == 1)
        return place_layers(info.layers, chosen.devices, { 1 });
    std::vector<std::int64_t> free;
    for (const at::Device& device : chosen.devices)
        free.push_back(memory_of(chosen, device).free);
    const std::int64_t tables = info.tied_embeddings ? 1 : 2;
    return place_layers(info.layers, chosen.devices,
        room_for_layers(free, tables * info.vocabulary * info.hidden_size * bytes_of(dtype)));
}

std::int64_t bytes_of_window(
    const PassSizes& sizes, std::int64_t element, std::int64_t context, std::int64_t rows, std::int64_t packed)
{
    return cache_bytes(sizes, element, context) + work_space(sizes, element, context, std::max(context, rows))
        + 2 * packed * sizes.kv_heads * sizes.head_dim * element;
}

std::string sentence(const MemoryNeed& need)
{
    std::string text = "About " + gigabytes(need.needed()) + " on " + need.device_name + " in " + need.dtype
        + ": weights " + gigabytes(need.weights) + ", cache of " + std::to_string(need.context) + " tokens "
        + gigabytes(need.cache) + ", work space " + gigabytes(need.work);
    if (need.attention > 0)
        text += ", queries and keys for the attention view " + gigabytes(need.attention);
    if (need.free < 0)
        return text + "; how much is free cannot be told.";
    return text + "; " + gigabytes(need.free) + " of " + gigabytes(need.total)
        + " are free: " + (need.fits() ? "it fits." : "it does not fit.");
}

void prefer_large_pages(void* memory, std::size_t bytes)
{
    constexpr std::uintptr_t page = std::uintptr_t { 1 } << 21U;
    const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
    if (begin < end) // a system without them says no, and all goes on as it was
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE); // NOLINT(performance-no-int-to-ptr)
}

void refuse_too_large(const MemoryNeed& need)
{
    if (!need.fits())
        throw Error(ErrorKind::memory, sentence(need),
            "Choose a smaller context, a dtype of half the size, or another device, or free some memory.");
}

} // namespace keepset
