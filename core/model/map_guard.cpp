#include "core/model/map_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

namespace keepset {

namespace {

    struct Watched {
        std::atomic<bool> taken = false;
        std::atomic<bool> torn = false;
        std::atomic<std::uintptr_t> begin = 0; ///< 0: nothing to watch
        std::atomic<std::uintptr_t> end = 0;
    };

    constexpr std::size_t most_maps = 4096;

    // A signal handler is handed nothing but the address, so what it knows has to be static.
    std::array<Watched, most_maps> maps; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
    struct sigaction before { }; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
    std::uintptr_t page = 4096; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

    /// Lays zeros over the rest of a watched map from the page of `address` on; false where none has it.
    bool patch(std::uintptr_t address)
    {
        for (Watched& map : maps) {
            const std::uintptr_t begin = map.begin;
            const std::uintptr_t end = map.end;
            if (begin == 0 || address < begin || address >= end)
                continue;
            const std::uintptr_t from = address - address % page;
            map.torn = true;
            void* const place = reinterpret_cast<void*>(from); // NOLINT(performance-no-int-to-ptr)
            return ::mmap(place, end - from, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
        }
        return false;
    }

    void on_bus_error(int signal, siginfo_t* info, void* /*context*/)
    {
        const bool fault = info->si_code > 0; // else somebody sent the signal
        if (fault && patch(reinterpret_cast<std::uintptr_t>(info->si_addr)))
            return;
        ::sigaction(SIGBUS, &before, nullptr); // Not ours: the access comes again and ends as it would without us.
        if (!fault)
            ::raise(signal);
    }

    bool install()
    {
        page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        struct sigaction action { };
        action.sa_sigaction = on_bus_error;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        return ::sigaction(SIGBUS, &action, &before) == 0;
    }

} // namespace

MapGuard::MapGuard(const std::byte* data, std::size_t bytes)
    : slot_(most_maps)
{
    [[maybe_unused]] static const bool installed = install();
    for (std::size_t slot = 0; slot < most_maps; ++slot) {
        if (maps[slot].taken.exchange(true))
            continue;
        slot_ = slot;
        maps[slot].torn = false;
        maps[slot].end = reinterpret_cast<std::uintptr_t>(data) + bytes;
        maps[slot].begin = reinterpret_cast<std::uintptr_t>(data);
        return;
    }
}

MapGuard::~MapGuard()
{
    if (slot_ == most_maps)
        return;
    maps[slot_].begin = 0;
    maps[slot_].taken = false;
}

bool MapGuard::torn() const { return slot_ < most_maps && maps[slot_].torn; }

} // namespace keepset
