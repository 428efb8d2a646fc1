#include "core/provenance.h"

#include "core/version.h"

#include <array>
#include <chrono>
#include <ctime>

namespace keepset {

std::string timestamp()
{
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc {};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> text {};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

std::string generator() { return "keepset " + version() + " (" + commit() + ")"; }

} // namespace keepset
