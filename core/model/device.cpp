#include "core/model/device.h"

#include "core/engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <thread>

namespace keepset {

namespace {

    int all_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

    ChosenDevice cpu_device(int threads)
    {
        return { at::kCPU, { at::kCPU }, "CPU, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
            { threads, nullptr } };
    }

    /// "cuda" → 0, "cuda:3" → 3; throws where it is neither.
    int cuda_index(const std::string& text)
    {
        if (text == "cuda")
            return 0;
        int index = -1;
        const char* end = text.data() + text.size();
        if (text.starts_with("cuda:")) {
            const auto [stop, problem] = std::from_chars(text.data() + 5, end, index);
            if (problem == std::errc {} && stop == end && index >= 0)
                return index;
        }
        throw Error(ErrorKind::usage, "The device '" + text + "' is not known.",
            "Choose auto, cpu, cuda, cuda:N or several, as cuda:0,cuda:1.");
    }

    /// "cuda:0,cuda:1" → 0, 1; each once.
    std::vector<int> cuda_indices(const std::string& text)
    {
        std::vector<int> indices;
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t end = std::min(text.find(',', begin), text.size());
            const int index = cuda_index(text.substr(begin, end - begin));
            if (std::ranges::find(indices, index) != indices.end())
                throw Error(ErrorKind::usage, "The device cuda:" + std::to_string(index) + " is named twice.");
            indices.push_back(index);
            begin = end + 1;
        }
        return indices;
    }

    ChosenDevice cuda_devices(const std::vector<int>& indices, const kernels::CudaModule& cuda, int threads)
    {
        ChosenDevice chosen;
        chosen.devices.clear();
        for (const int index : indices) {
            chosen.devices.emplace_back(at::kCUDA, static_cast<at::DeviceIndex>(index));
            const std::string name = cuda.device_name(index);
            if (chosen.name.find(name) == std::string::npos)
                chosen.name += (chosen.name.empty() ? "" : ", ") + name;
        }
        if (indices.size() > 1)
            chosen.name = std::to_string(indices.size()) + " × " + chosen.name;
        chosen.device = chosen.devices.front();
        chosen.backend = { threads, &cuda };
        return chosen;
    }

} // namespace

ChosenDevice choose_device(const OpenOptions& options)
{
    if (options.threads < 0)
        throw Error(ErrorKind::usage, "The number of threads cannot be " + std::to_string(options.threads) + ".");
    const int threads = options.threads == 0 ? all_threads() : options.threads;
    if (options.device == "cpu")
        return cpu_device(threads);
    const std::vector<int> indices = options.device == "auto" ? std::vector<int> { 0 } : cuda_indices(options.device);
    std::string why_not;
    const kernels::CudaModule* cuda = load_cuda_module(why_not);
    if (cuda == nullptr) {
        if (options.device == "auto")
            return cpu_device(threads);
        throw Error(ErrorKind::device, "The device '" + options.device + "' cannot be used: " + why_not + ".",
            "Use --device cpu.");
    }
    const at::DeviceIndex count = at::detail::getCUDAHooks().deviceCount();
    for (const int index : indices) {
        if (index >= count)
            throw Error(ErrorKind::device,
                "There is no device cuda:" + std::to_string(index) + "; this machine has " + std::to_string(count)
                    + ".");
    }
    return cuda_devices(indices, *cuda, threads);
}

std::string ChosenDevice::text() const
{
    std::string all;
    for (const at::Device& one : devices)
        all += (all.empty() ? "" : ",") + one.str();
    return all;
}

std::vector<at::Device> place_layers(
    std::int64_t layers, const std::vector<at::Device>& devices, const std::vector<std::int64_t>& room)
{
    double all = 0;
    for (const std::int64_t bytes : room)
        all += static_cast<double>(bytes);
    std::vector<at::Device> placed;
    std::size_t at = 0;
    double end = static_cast<double>(room.front()) / all; // of the present device's share
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        const double middle = (static_cast<double>(layer) + 0.5) / static_cast<double>(layers);
        while (middle > end && at + 1 < devices.size())
            end += static_cast<double>(room[++at]) / all;
        placed.push_back(devices[at]);
    }
    return placed;
}

ChosenDevice add_device(const ChosenDevice& chosen)
{
    std::vector<int> indices;
    for (const at::Device& device : chosen.devices)
        indices.push_back(device.index());
    for (int index = 0; index < at::detail::getCUDAHooks().deviceCount(); ++index) {
        if (std::ranges::find(indices, index) == indices.end()) {
            indices.push_back(index);
            return cuda_devices(indices, *chosen.backend.cuda, chosen.backend.threads);
        }
    }
    return chosen;
}

at::ScalarType choose_dtype(Dtype wanted, const std::string& checkpoint, at::Device device)
{
    if (wanted == Dtype::float32 || (wanted == Dtype::automatic && !device.is_cuda()))
        return at::kFloat;
    if (wanted == Dtype::bfloat16 || (wanted == Dtype::automatic && checkpoint.find("bfloat16") != std::string::npos))
        return at::kBFloat16;
    if (wanted == Dtype::float16 || (wanted == Dtype::automatic && checkpoint.find("float16") != std::string::npos))
        return at::kHalf;
    return at::kFloat;
}

std::string dtype_name(at::ScalarType type)
{
    return type == at::kFloat ? "float32" : type == at::kBFloat16 ? "bfloat16" : "float16";
}

void guarded(int threads, const std::function<void()>& work)
{
    const c10::InferenceMode inference(true);
    if (at::get_num_threads() != threads)
        at::set_num_threads(threads);
    try {
        work();
    } catch (const c10::OutOfMemoryError& problem) {
        throw Error(ErrorKind::memory,
            "The device has not enough memory for this: " + std::string(problem.what_without_backtrace()),
            "Choose a smaller context, another dtype or another device.");
    } catch (const c10::Error& problem) {
        const std::string what = problem.what_without_backtrace();
        const bool memory = what.find("allocate memory") != std::string::npos;
        throw Error(memory ? ErrorKind::memory : ErrorKind::internal,
            (memory ? "Not enough memory: " : "The tensor library failed: ") + what,
            memory ? "Choose a smaller context or another device." : "");
    } catch (const std::bad_alloc&) {
        throw Error(ErrorKind::memory, "Not enough memory for this.", "Choose a smaller context or a smaller model.");
    }
}

std::vector<std::pair<std::string, std::string>> devices()
{
    std::vector<std::pair<std::string, std::string>> found { { "cpu", cpu_device(all_threads()).name } };
    std::string why_not;
    const kernels::CudaModule* cuda = load_cuda_module(why_not);
    for (int index = 0; cuda != nullptr && index < at::detail::getCUDAHooks().deviceCount(); ++index)
        found.emplace_back("cuda:" + std::to_string(index), cuda->device_name(index));
    return found;
}

} // namespace keepset
