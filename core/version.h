#pragma once

#include <string>

namespace keepset {

/// Version and commit of this build ("0.1.0", "1a2b3c4" or "unknown").
std::string version();
std::string commit();

} // namespace keepset
