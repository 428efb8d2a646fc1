#include "core/attention/column_sums.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <dlfcn.h>

#include <filesystem>
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

    struct Loaded {
        const kernels::CudaModule* module = nullptr;
        std::string why_not;
    };

    Loaded load()
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
            return { nullptr, problem };
        const auto entry = reinterpret_cast<kernels::CudaModuleFn>(::dlsym(library, kernels::cuda_module_symbol));
        const kernels::CudaModule* module = entry == nullptr ? nullptr : entry();
        if (module == nullptr || module->version != kernels::cuda_module_version)
            return { nullptr, "the CUDA module is of another version than this program" };
        if (!at::detail::getCUDAHooks().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
            return { nullptr, "no CUDA device was found" };
        return { module, {} };
    }

} // namespace

const kernels::CudaModule* load_cuda_module(std::string& why_not)
{
    static const Loaded loaded = load();
    why_not = loaded.why_not;
    return loaded.module;
}

} // namespace keepset
