#pragma once

#include "core/preflight.h"

#include <cstddef>
#include <filesystem>
#include <string>

/// How results reach the disk: one writer at a time, and a final name that never holds half a file.
namespace keepset::trace {

/// The sole right to write `target`, held as a flock on `<target>.lock`: the system gives it up when the process ends,
/// however it ends, so that the lock file of a dead process blocks nobody. Removed by the destructor.
class WriterLock {
public:
    /// Throws Error{input} where another writer is at work or the folder is missing or not writable.
    explicit WriterLock(const std::filesystem::path& target);
    ~WriterLock();
    WriterLock(WriterLock&& other) noexcept;
    WriterLock& operator=(WriterLock&& other) noexcept;
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

private:
    std::filesystem::path file_;
    int descriptor_ = -1;
};

/// Where writing to `file` lands: itself, or what it points to where it is a symbolic link.
std::filesystem::path resolved(const std::filesystem::path& file);
/// Writes `bytes` bytes to `<file>.part`, makes sure they are on the disk, and renames it to `file`. Throws
/// Error{input} (full disk, …); then the part is removed and what stood under the final name before is untouched.
void write_whole(const std::filesystem::path& file, const std::byte* data, std::size_t bytes);

} // namespace keepset::trace
