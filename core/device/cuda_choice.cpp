#include "core/device/cuda_choice.h"

#include "core/error.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace keepset {

namespace {

    /// 80 → "8.0", by what a decimal counts: capabilities count tenths, CUDA versions thousandths and tens.
    std::string dotted(int major, int minor) { return std::to_string(major) + "." + std::to_string(minor); }
    std::string capability_text(int capability) { return dotted(capability / 10, capability % 10); }
    std::string cuda_text(int version) { return dotted(version / 1000, version % 1000 / 10); }

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

    /// "cuda:0 (Tesla T4) has compute capability 7.5, and this build's kernels need 8.0 or newer"
    std::string too_old(int index, const FoundDevice& device, int minimum_capability)
    {
        return "cuda:" + std::to_string(index) + " (" + device.name + ") has compute capability "
            + capability_text(device.capability) + ", and this build's kernels need "
            + capability_text(minimum_capability) + " or newer";
    }

    CudaChoice first_usable(const std::string& asked, const std::vector<FoundDevice>& found, int minimum_capability)
    {
        CudaChoice choice;
        std::string reasons;
        for (int index = 0; index < static_cast<int>(found.size()) && choice.indices.empty(); ++index) {
            const FoundDevice& device = found[static_cast<std::size_t>(index)];
            if (device.capability >= minimum_capability) {
                choice.indices.push_back(index);
                continue;
            }
            const std::string reason = too_old(index, device, minimum_capability);
            reasons += (reasons.empty() ? "" : "; ") + reason;
            choice.notes.push_back(reason + ": it is left out.");
        }
        if (choice.indices.empty() && asked != "auto")
            throw Error(ErrorKind::device,
                reasons.empty() ? "There is no CUDA device on this machine."
                                : "No CUDA device can be used: " + reasons + ".",
                "Use --device cpu.");
        return choice;
    }

} // namespace

CudaChoice choose_cuda(const std::string& asked, const std::vector<FoundDevice>& found, int minimum_capability)
{
    if (asked == "auto" || asked == "cuda")
        return first_usable(asked, found, minimum_capability);
    CudaChoice choice { cuda_indices(asked), {} };
    const int count = static_cast<int>(found.size());
    for (const int index : choice.indices) {
        if (index >= count)
            throw Error(ErrorKind::device,
                "There is no device cuda:" + std::to_string(index) + "; this machine has " + std::to_string(count)
                    + ".");
        const FoundDevice& device = found[static_cast<std::size_t>(index)];
        if (device.capability < minimum_capability)
            throw Error(ErrorKind::device, "The device " + too_old(index, device, minimum_capability) + ".",
                "Use another device or --device cpu.");
    }
    return choice;
}

void check_device_spelling(const std::string& asked)
{
    if (asked != "auto")
        cuda_indices(asked);
}

std::vector<int> usable_devices(const std::vector<FoundDevice>& found, int minimum_capability)
{
    std::vector<int> usable;
    for (std::size_t index = 0; index < found.size(); ++index) {
        if (found[index].capability >= minimum_capability)
            usable.push_back(static_cast<int>(index));
    }
    return usable;
}

std::string why_no_device(const kernels::CudaDriver& driver, const std::string& driver_version)
{
    if (driver.devices > 0 && driver.supports / 1000 >= driver.needs / 1000)
        return {};
    const std::string name = "the NVIDIA driver" + (driver_version.empty() ? "" : " " + driver_version);
    if (driver.supports == 0)
        return driver_version.empty() ? "there is no NVIDIA driver on this machine"
                                      : name + " is installed, but its library libcuda.so.1 cannot be used";
    // Within a major version any driver runs any runtime.
    if (driver.supports / 1000 < driver.needs / 1000)
        return name + " runs CUDA up to " + cuda_text(driver.supports) + ", and this build needs CUDA "
            + cuda_text(driver.needs) + (driver.needs / 1000 == 13 ? " (driver 580 or newer)" : "");
    return "no CUDA device was found (" + name + (driver.problem.empty() ? "" : ": " + driver.problem) + ")";
}

std::string driver_version_in(const std::string& text)
{
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 …": the first word of digits and dots.
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const bool numeric = word.find_first_not_of("0123456789.") == std::string::npos;
        if (numeric && word.find('.') != std::string::npos && word.front() != '.')
            return word;
    }
    return {};
}

} // namespace keepset
