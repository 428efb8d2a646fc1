#pragma once

#include <cstddef>

namespace keepset {

/// Watches the map of a file. Where the file turns out shorter than its map, because somebody writes it anew or cuts it
/// while it is looked at, the system ends the process (SIGBUS); under a guard the missing pages read as zeros instead,
/// and torn() says so, so that whoever used them can refuse what came of it.
class MapGuard {
public:
    /// [data, data + bytes) is a map. A process can have 4096 guards at a time; a map beyond is not watched.
    MapGuard(const std::byte* data, std::size_t bytes);
    ~MapGuard();
    MapGuard(const MapGuard&) = delete;
    MapGuard& operator=(const MapGuard&) = delete;
    /// Whether zeros stand in for a part of the file. Safe from any thread.
    bool torn() const;

private:
    std::size_t slot_;
};

} // namespace keepset
