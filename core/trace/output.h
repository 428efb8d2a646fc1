#pragma once

#include "core/preflight.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

/// How results reach the disk: one writer at a time, and a final name that never holds half a file.
namespace keepset::trace {

/// The sole right to write `target`, held as a flock on `<target>.lock`: the system gives it up when the process ends,
/// however it ends, so that the lock file of a dead process blocks nobody. Removed by the destructor.
class WriterLock {
public:
    /// Throws Error{input} where another writer is at work, the folder is missing or not writable, or a file of that
    /// name holds something, which ours never do: it is somebody's and would be removed.
    explicit WriterLock(const std::filesystem::path& target);
    ~WriterLock();
    WriterLock(WriterLock&& other) noexcept;
    WriterLock& operator=(WriterLock&& other) noexcept;
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

private:
    void refuse_somebodys_file(const std::filesystem::path& target);

    std::filesystem::path file_;
    int descriptor_ = -1;
};

/// Where writing to `file` lands: itself, or what it points to where it is a symbolic link (which may not exist yet).
std::filesystem::path resolved(const std::filesystem::path& file);
/// What changes when a file is written: its inode, size and time of writing (ns).
struct FileState {
    std::uint64_t inode = 0;
    std::int64_t bytes = -1; ///< -1: it is not there
    std::int64_t written_ns = 0;
    bool operator==(const FileState&) const = default;
};
FileState state_of(const std::filesystem::path& file);
/// Writes `bytes` bytes to `<file>.part`, makes sure they are on the disk, and renames it to `file`. Throws
/// Error{input} (full disk, …); then the part is removed and what stood under the final name before is untouched.
void write_whole(const std::filesystem::path& file, const std::byte* data, std::size_t bytes);
/// Renames a file whose bytes are on the disk, so that the new name survives a power cut too. Throws Error{input}.
void rename_whole(const std::filesystem::path& from, const std::filesystem::path& to);
/// Waits until what was written to `file` is on the disk. Throws Error{input} where the disk refuses.
void sync_file(const std::filesystem::path& file);

} // namespace keepset::trace
