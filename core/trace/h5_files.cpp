#include "core/trace/h5.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

namespace keepset::h5 {

namespace {

    /// HDF5 lets HDF5_USE_FILE_LOCKING overrule what a program asks for, and reads it when it starts. With TRUE or
    /// BEST_EFFORT in the user's shell a reader that follows a sweep would lock the writer out after some windows. So
    /// the variable goes from this process before there is a second thread, which setenv and unsetenv do not stand; a
    /// second writer is kept away by our own lock file (trace::WriterLock).
    [[gnu::constructor]] void forget_the_locking_of_the_shell() { ::unsetenv("HDF5_USE_FILE_LOCKING"); }

    /// Newest format of HDF5 1.10 (needed for live reading), no file locks.
    Handle access()
    {
        Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "access");
        check(H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110), "access");
        check(H5Pset_file_locking(list, false, true), "access");
        return list;
    }

    std::string plain_cause(const std::filesystem::path& file)
    {
        std::error_code error;
        const auto status = std::filesystem::status(file, error);
        if (!std::filesystem::exists(status))
            return "there is no such file";
        if (std::filesystem::is_directory(status))
            return "it is a folder, not a file";
        std::ifstream stream(file, std::ios::binary);
        if (!stream)
            return "it may not be read (permission denied)";
        return "";
    }

} // namespace

Handle open_for_reading(const std::filesystem::path& file)
{
    if (const std::string problem = plain_cause(file); !problem.empty())
        throw Failure(problem);
    const Handle list = access();
    if (H5Fis_hdf5(file.c_str()) <= 0) {
        H5Eclear2(H5E_DEFAULT);
        throw Failure("it is not an HDF5 file");
    }
    // Our writers never move metadata, so a block that reads wrong is damaged and not in motion: the 100 attempts, with
    // growing pauses, that HDF5 makes in live mode would only keep the user waiting for minutes.
    constexpr unsigned attempts = 3;
    check(H5Pset_metadata_read_attempts(list, attempts), "access");
    // A writer at work rewrites the superblock's flags: a reader that meets it half-way finds it whole a moment later.
    constexpr int tries = 4;
    for (int attempt = 0; attempt < tries; ++attempt) {
        for (const unsigned mode : { H5F_ACC_RDONLY, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ }) {
            const hid_t opened = H5Fopen(file.c_str(), mode, list);
            if (opened >= 0)
                return { opened, H5Fclose, "opening" };
        }
        if (attempt + 1 < tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    check(-1, "it is damaged or cut off");
    return {};
}

Handle open_for_live_writing(const std::filesystem::path& file)
{
    const Handle list = access();
    return { H5Fopen(file.c_str(), H5F_ACC_RDWR | H5F_ACC_SWMR_WRITE, list), H5Fclose, "opening it for writing" };
}

bool is_closed(const std::filesystem::path& file)
{
    // HDF5 file format 3.0, superblock version 2 and 3: byte 8 is the version, byte 11 the file consistency flags.
    std::ifstream stream(file, std::ios::binary);
    char head[12] = {};
    stream.read(head, sizeof head);
    return stream.gcount() == sizeof head && head[8] == 3 && head[11] == 0;
}

// ---- a file in memory ----------------------------------------------------------------------------------------

MemoryFile::MemoryFile()
{
    const Handle list = access();
    constexpr std::size_t increment = std::size_t { 4 } << 20;
    check(H5Pset_fapl_core(list, increment, false), "a file in memory");
    H5FD_file_image_callbacks_t callbacks { allocate, nullptr, reallocate, release, copy_self, free_self, this };
    callbacks.image_memcpy = [](void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
        return std::memcpy(to, from, size);
    };
    check(H5Pset_file_image_callbacks(list, &callbacks), "a file in memory");
    file_ = Handle(H5Fcreate("keepset-in-memory", H5F_ACC_TRUNC, H5P_DEFAULT, list), H5Fclose, "a file in memory");
}

MemoryFile::~MemoryFile()
{
    file_ = Handle();
    std::free(block_); // NOLINT(cppcoreguidelines-no-malloc): HDF5 grows it by realloc
}

std::pair<const std::byte*, std::size_t> MemoryFile::finish()
{
    check(H5Fflush(file_, H5F_SCOPE_GLOBAL), "finishing the file");
    file_.close("finishing the file");
    // The block has room to grow; where the file ends says its superblock (version 3: eight bytes at 28).
    constexpr std::size_t end_of_file = 28;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, static_cast<const std::byte*>(block_) + end_of_file, sizeof bytes);
    return { static_cast<const std::byte*>(block_), bytes };
}

void* MemoryFile::allocate(std::size_t size, H5FD_file_image_op_t, void*) { return std::malloc(size); }

void* MemoryFile::reallocate(void* block, std::size_t size, H5FD_file_image_op_t, void*)
{
    return std::realloc(block, size);
}

/// The bytes outlive the closed file: they are kept instead of freed.
herr_t MemoryFile::release(void* block, H5FD_file_image_op_t operation, void* self)
{
    if (operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE)
        static_cast<MemoryFile*>(self)->block_ = block;
    else
        std::free(block);
    return 0;
}

void* MemoryFile::copy_self(void* self) { return self; }

herr_t MemoryFile::free_self(void*) { return 0; }

} // namespace keepset::h5
