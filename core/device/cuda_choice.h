#pragma once

#include "kernels/cuda_module.h"

#include <string>
#include <vector>

/// Which CUDA devices are taken, decided from what was found: no device is asked here, so that every case can be tested
/// where there is none.
namespace keepset {

/// A CUDA device as the module describes it.
struct FoundDevice {
    std::string name; ///< "NVIDIA H200"
    int capability = 0; ///< 10 · major + minor
};

/// Devices to compute on, and what a user should know about the choice.
struct CudaChoice {
    std::vector<int> indices; ///< empty: the CPU
    std::vector<std::string> notes; ///< a sentence for each device that is left out
};

/// `asked` is auto, cuda, cuda:N or several, as cuda:0,cuda:1; `found` by index. auto and cuda take the first device
/// that the kernels run on (compute capability of `minimum_capability` or more) and leave older ones out with a note;
/// auto takes the CPU where there is none. Throws Error{usage} for another spelling, Error{device} for a device that is
/// not there or too old.
CudaChoice choose_cuda(const std::string& asked, const std::vector<FoundDevice>& found, int minimum_capability);

/// Throws Error{usage} where `asked` is not a spelling of choose_cuda.
void check_device_spelling(const std::string& asked);

/// Devices the kernels run on, in order.
std::vector<int> usable_devices(const std::vector<FoundDevice>& found, int minimum_capability);

/// Why no CUDA device can be used, a phrase that names the driver; empty where one can. `driver_version` is the
/// driver's own ("535.104.05"), empty where it is not known.
std::string why_no_device(const kernels::CudaDriver& driver, const std::string& driver_version);

/// The version in the text of /proc/driver/nvidia/version; empty where it has none.
std::string driver_version_in(const std::string& text);

} // namespace keepset
