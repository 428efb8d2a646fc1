#include "core/device/device.h"

#include "core/device/cuda_choice.h"
#include "core/error.h"
#include "core/model_info.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace keepset {

namespace {

    int all_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

    ChosenDevice cpu_device(int threads)
    {
        return { at::kCPU, { at::kCPU }, "CPU, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
            { threads, nullptr }, {} };
    }

    /// Only the first line: the libraries add advice for programmers.
    Error device_failed(const std::string& what)
    {
        return { ErrorKind::device, "The device failed: " + what.substr(0, what.find('\n')),
            "Try again, or use --device cpu." };
    }

    /// Every CUDA device of this machine, by index. Throws Error{device}.
    std::vector<FoundDevice> found_devices(const kernels::CudaModule& cuda)
    {
        std::vector<FoundDevice> found;
        try {
            for (int index = 0; index < at::detail::getCUDAHooks().deviceCount(); ++index)
                found.push_back({ cuda.device_name(index), cuda.capability(index) });
        } catch (const std::runtime_error& problem) {
            throw device_failed(problem.what());
        }
        return found;
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
    check_device_spelling(options.device);
    const CudaLoad& load = load_cuda();
    if (load.module == nullptr) {
        if (options.device != "auto")
            throw Error(ErrorKind::device, "The device '" + options.device + "' cannot be used: " + load.why_not + ".",
                "Use --device cpu.");
        ChosenDevice cpu = cpu_device(threads);
        if (load.has_driver)
            cpu.notes.push_back("The GPU is not used: " + load.why_not + ".");
        return cpu;
    }
    const CudaChoice choice = choose_cuda(options.device, found_devices(*load.module), load.module->minimum_capability);
    ChosenDevice chosen
        = choice.indices.empty() ? cpu_device(threads) : cuda_devices(choice.indices, *load.module, threads);
    chosen.notes = choice.notes;
    return chosen;
}

std::string ChosenDevice::text() const
{
    std::string all;
    for (const at::Device& one : devices) {
        if (!all.empty())
            all += ',';
        all += one.str();
    }
    return all;
}

std::vector<std::int64_t> room_for_layers(std::vector<std::int64_t> free, std::int64_t embedding_and_head)
{
    free.front() -= embedding_and_head;
    for (std::int64_t& bytes : free)
        bytes = std::max<std::int64_t>(1, bytes);
    return free;
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
    const kernels::CudaModule& cuda = *chosen.backend.cuda;
    for (const int index : usable_devices(found_devices(cuda), cuda.minimum_capability)) {
        if (std::ranges::find(indices, index) == indices.end()) {
            indices.push_back(index);
            ChosenDevice more = cuda_devices(indices, cuda, chosen.backend.threads);
            more.notes = chosen.notes;
            return more;
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
        if (what.find("allocate memory") != std::string::npos)
            throw Error(ErrorKind::memory, "Not enough memory: " + what, "Choose a smaller context or another device.");
        if (what.find("CUDA error") != std::string::npos)
            throw device_failed(what);
        throw Error(ErrorKind::internal, "The tensor library failed: " + what);
    } catch (const std::bad_alloc&) {
        throw Error(ErrorKind::memory, "Not enough memory for this.", "Choose a smaller context or a smaller model.");
    } catch (const Error&) {
        throw;
    } catch (const std::system_error&) { // a file's, not a device's
        throw;
    } catch (const std::runtime_error& problem) { // what the CUDA module throws (kernels/cuda_check.h)
        throw device_failed(problem.what());
    }
}

std::vector<std::pair<std::string, std::string>> devices()
{
    std::vector<std::pair<std::string, std::string>> found { { "cpu", cpu_device(all_threads()).name } };
    const CudaLoad& load = load_cuda();
    if (load.module == nullptr)
        return found;
    for (const int index : usable_devices(found_devices(*load.module), load.module->minimum_capability))
        found.emplace_back("cuda:" + std::to_string(index), load.module->device_name(index));
    return found;
}

} // namespace keepset
