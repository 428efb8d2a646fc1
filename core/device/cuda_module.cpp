#include "core/device/backend.h"
#include "core/device/cuda_choice.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace keepset {

namespace {

    /// The module lies beside the program, or in the lib folder of an installation.
    std::vector<std::string> candidates()
    {
        const char* file = "libkeepset_cuda.so";
        std::error_code ignored;
        const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
        return { (program.parent_path() / file).string(), (program.parent_path().parent_path() / "lib" / file).string(),
            (program.parent_path().parent_path() / "bin" / file).string(), file };
    }

    std::string installed_driver()
    {
        std::ifstream file("/proc/driver/nvidia/version");
        return driver_version_in({ std::istreambuf_iterator<char>(file), {} });
    }

    CudaLoad load()
    {
        void* library = nullptr;
        std::string problem = "this build has no CUDA module (libkeepset_cuda.so)";
        for (const std::string& file : candidates()) {
            std::error_code ignored;
            const bool is_path = file.find('/') != std::string::npos;
            if (is_path && !std::filesystem::exists(file, ignored))
                continue;
            library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
            if (library != nullptr)
                break;
            if (is_path)
                problem = std::string("the CUDA module cannot be loaded: ") + ::dlerror();
        }
        if (library == nullptr)
            return { nullptr, problem, false };
        const auto entry = reinterpret_cast<kernels::CudaModuleFn>(::dlsym(library, kernels::cuda_module_symbol));
        const kernels::CudaModule* module = entry == nullptr ? nullptr : entry();
        if (module == nullptr || module->version != kernels::cuda_module_version
            || module->bytes != sizeof(kernels::CudaModule))
            return { nullptr, "the CUDA module is of another version than this program", false };
        const kernels::CudaDriver driver = module->driver();
        const std::string why_not = why_no_device(driver, installed_driver());
        if (!why_not.empty())
            return { nullptr, why_not, driver.supports > 0 };
        if (!at::detail::getCUDAHooks().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
            return { nullptr, "no CUDA device was found by the tensor library", true };
        return { module, {}, false };
    }

} // namespace

const CudaLoad& load_cuda()
{
    static const CudaLoad loaded = load();
    return loaded;
}

const kernels::CudaModule* load_cuda_module(std::string& why_not)
{
    why_not = load_cuda().why_not;
    return load_cuda().module;
}

} // namespace keepset
