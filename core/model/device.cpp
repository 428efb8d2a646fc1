#include "core/model/device.h"

#include "core/engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include <charconv>
#include <new>
#include <thread>

namespace keepset {

namespace {

    int all_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

    ChosenDevice cpu_device(int threads)
    {
        return { at::kCPU, "CPU, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
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
        throw Error(ErrorKind::usage, "The device '" + text + "' is not known.", "Choose auto, cpu, cuda or cuda:N.");
    }

} // namespace

ChosenDevice choose_device(const OpenOptions& options)
{
    if (options.threads < 0)
        throw Error(ErrorKind::usage, "The number of threads cannot be " + std::to_string(options.threads) + ".");
    const int threads = options.threads == 0 ? all_threads() : options.threads;
    if (options.device == "cpu")
        return cpu_device(threads);
    const int index = options.device == "auto" ? 0 : cuda_index(options.device);
    std::string why_not;
    const kernels::CudaModule* cuda = load_cuda_module(why_not);
    if (cuda == nullptr) {
        if (options.device == "auto")
            return cpu_device(threads);
        throw Error(ErrorKind::device, "The device '" + options.device + "' cannot be used: " + why_not + ".",
            "Use --device cpu.");
    }
    const int count = at::detail::getCUDAHooks().deviceCount();
    if (index >= count)
        throw Error(ErrorKind::device,
            "There is no device cuda:" + std::to_string(index) + "; this machine has " + std::to_string(count) + ".");
    return { at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index)), cuda->device_name(index), { threads, cuda } };
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
