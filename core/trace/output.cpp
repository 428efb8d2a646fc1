#include "core/trace/output.h"

#include "core/error.h"
#include "core/files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace keepset::trace {

namespace {

    std::string quoted(const std::filesystem::path& file)
    {
        std::string text = "'";
        text += file.string();
        text += '\'';
        return text;
    }

    std::string why(int number)
    {
        return std::strerror(number);
    } // NOLINT(concurrency-mt-unsafe): glibc's is per thread

    /// File systems without a way to say so (some mounts) give EINVAL: nothing can be promised there.
    int synced(int status) { return status == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno; }

    /// The open lock file is still the one under its name (its owner before may have removed it meanwhile).
    bool still_named(int descriptor, const std::filesystem::path& file)
    {
        struct stat mine { };
        struct stat named { };
        return ::fstat(descriptor, &mine) == 0 && ::stat(file.c_str(), &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev;
    }

    /// Whoever asks whether a file is being written holds its lock for an instant, which must turn no writer away.
    bool try_lock(int descriptor)
    {
        constexpr int tries = 5;
        for (int attempt = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++attempt) {
            if (errno != EWOULDBLOCK || attempt == tries)
                return false;
            ::usleep(2000);
        }
        return true;
    }

    /// Writes all of it; gives errno where that fails.
    int write_all(int descriptor, const std::byte* data, std::size_t bytes)
    {
        while (bytes > 0) {
            const ssize_t written = ::write(descriptor, data, bytes);
            if (written < 0 && errno == EINTR)
                continue;
            if (written < 0)
                return errno;
            data += written;
            bytes -= static_cast<std::size_t>(written);
        }
        return synced(::fsync(descriptor));
    }

    /// A new name is on the disk once its folder is. The file is there all the same where that cannot be asked for.
    void sync_folder(const std::filesystem::path& file)
    {
        const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
        const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0)
            return;
        ::fsync(descriptor);
        ::close(descriptor);
    }

    int write_file(const std::filesystem::path& file, const std::byte* data, std::size_t bytes)
    {
        constexpr mode_t everybody = 0666; // less the umask
        const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, everybody);
        if (descriptor < 0)
            return errno;
        const int problem = write_all(descriptor, data, bytes);
        return ::close(descriptor) == 0 || problem != 0 ? problem : errno;
    }

} // namespace

WriterLock::WriterLock(const std::filesystem::path& target)
    : file_(target.string() + ".lock")
{
    constexpr mode_t everybody = 0666;
    for (;;) {
        descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, everybody);
        if (descriptor_ < 0) {
            throw Error(ErrorKind::input, "Cannot write " + quoted(target) + ": " + why(errno) + ".",
                "Choose a folder that exists and may be written to.");
        }
        const bool locked = try_lock(descriptor_);
        if (!locked && errno == EWOULDBLOCK) {
            ::close(std::exchange(descriptor_, -1));
            throw Error(ErrorKind::input, quoted(target) + " is being written by another process.",
                "Wait for it or choose another name.");
        }
        // A file system without flock (some cluster mounts) cannot tell: go on rather than refuse every result.
        if (!locked || still_named(descriptor_, file_)) {
            refuse_somebodys_file(target);
            return;
        }
        ::close(std::exchange(descriptor_, -1));
    }
}

void WriterLock::refuse_somebodys_file(const std::filesystem::path& target)
{
    struct stat state { };
    if (::fstat(descriptor_, &state) != 0 || state.st_size == 0)
        return;
    ::close(std::exchange(descriptor_, -1)); // the destructor does not run, so the file stays
    throw Error(ErrorKind::input,
        "Cannot write " + quoted(target) + ": " + quoted(file_)
            + " is in the way, a file that is not empty as a lock file of Keepset's is.",
        "Move it or choose another name.");
}

WriterLock::~WriterLock()
{
    if (descriptor_ < 0)
        return;
    ::unlink(file_.c_str());
    ::close(descriptor_);
}

WriterLock::WriterLock(WriterLock&& other) noexcept
    : file_(std::move(other.file_))
    , descriptor_(std::exchange(other.descriptor_, -1))
{
}

WriterLock& WriterLock::operator=(WriterLock&& other) noexcept
{
    std::swap(file_, other.file_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

std::filesystem::path resolved(const std::filesystem::path& file)
{
    constexpr int most_links = 40; // as the system's own limit
    std::filesystem::path target = file;
    std::error_code error;
    for (int link = 0; link < most_links && std::filesystem::is_symlink(target, error); ++link) {
        const std::filesystem::path next = std::filesystem::read_symlink(target, error);
        if (error)
            return file;
        target = target.parent_path() / next; // `next` alone where it is absolute
    }
    return target;
}

FileState state_of(const std::filesystem::path& file)
{
    struct stat state { };
    if (::stat(file.c_str(), &state) != 0)
        return {};
    constexpr std::int64_t second_ns = 1'000'000'000;
    return { state.st_ino, state.st_size, state.st_mtim.tv_sec * second_ns + state.st_mtim.tv_nsec };
}

void write_whole(const std::filesystem::path& file, const std::byte* data, std::size_t bytes)
{
    const std::filesystem::path part = file.string() + ".part";
    int problem = write_file(part, data, bytes);
    if (problem == 0 && ::rename(part.c_str(), file.c_str()) != 0)
        problem = errno;
    if (problem == 0) {
        sync_folder(file);
        return;
    }
    ::unlink(part.c_str());
    std::error_code error;
    const bool before = std::filesystem::exists(file, error);
    throw Error(ErrorKind::input,
        "Cannot write " + quoted(file) + " (" + std::to_string(bytes) + " bytes): " + why(problem) + ". "
            + (before ? "The file of that name is as it was." : "Nothing was written."),
        problem == ENOSPC || problem == EFBIG || problem == EDQUOT ? "Make room or choose another place." : "");
}

void rename_whole(const std::filesystem::path& from, const std::filesystem::path& to)
{
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw Error(ErrorKind::input, "Cannot write " + quoted(to) + ": " + why(errno) + ".");
    sync_folder(to);
}

void sync_file(const std::filesystem::path& file)
{
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    int problem = descriptor < 0 ? errno : synced(::fdatasync(descriptor));
    if (descriptor >= 0)
        ::close(descriptor);
    if (problem != 0)
        throw Error(ErrorKind::input, "Cannot write " + quoted(file) + " to the disk: " + why(problem) + ".");
}

} // namespace keepset::trace

namespace keepset {

void check_output(const std::filesystem::path& file, bool force, const std::string& hint)
{
    std::error_code error;
    if (file.empty())
        throw Error(ErrorKind::usage, "No name is given for the file to write.");
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    if (std::filesystem::is_directory(status) || !file.has_filename())
        throw Error(ErrorKind::input, trace::quoted(file) + " is a folder.", "Give the name of a file to write.");
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw Error(ErrorKind::input, trace::quoted(file) + " is a device or a pipe; a result needs a regular file.");
    if (std::filesystem::exists(status) && !force)
        throw Error(ErrorKind::usage, trace::quoted(file) + " exists already.", hint);
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    if (!std::filesystem::is_directory(folder, error))
        throw Error(ErrorKind::input,
            "Cannot write " + trace::quoted(file) + ": there is no folder " + trace::quoted(folder) + ".");
}

bool is_being_written(const std::filesystem::path& file)
{
    const std::filesystem::path lock = trace::resolved(file).string() + ".lock";
    const int descriptor = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    const bool free = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
    ::close(descriptor);
    return !free;
}

void write_text(const std::filesystem::path& file, const std::string& text)
{
    const std::filesystem::path target = trace::resolved(file);
    const trace::WriterLock lock(target);
    trace::write_whole(target, reinterpret_cast<const std::byte*>(text.data()), text.size());
}

} // namespace keepset
