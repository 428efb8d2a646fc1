#include "core/model/read_ahead.h"

#include <cstddef>
#include <stop_token>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace keepset {

namespace {

    constexpr std::uintmax_t piece = std::uintmax_t { 8 } << 20U;

    void read_ahead(const std::filesystem::path& file, const std::stop_token& stop)
    {
        std::error_code unknown;
        const std::uintmax_t bytes = std::filesystem::file_size(file, unknown);
        const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return;
        for (std::uintmax_t at = 0; !unknown && at < bytes && !stop.stop_requested(); at += piece)
            ::readahead(descriptor, static_cast<off64_t>(at), piece);
        ::close(descriptor);
    }

} // namespace

ReadAhead::ReadAhead(std::vector<std::filesystem::path> files)
    : worker_([files = std::move(files)](const std::stop_token& stop) {
        for (const std::filesystem::path& file : files)
            read_ahead(file, stop);
    })
{
}

} // namespace keepset
