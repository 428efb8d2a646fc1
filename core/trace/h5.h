#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

/// A thin RAII layer over the HDF5 C API: handles that close themselves, failures that are thrown with HDF5's own
/// cause.
namespace keepset::h5 {

/// HDF5 refused something, or a file does not hold what it should. Public functions turn it into Error{input}.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Owns one HDF5 identifier.
class Handle {
public:
    Handle() = default;
    /// Takes `id`, to be closed with `closer`. Throws Failure ("`what`: HDF5's cause") where `id` is negative.
    Handle(hid_t id, herr_t (*closer)(hid_t), const std::string& what);
    ~Handle();
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    operator hid_t() const { return id_; } // NOLINT(google-explicit-constructor): stands for the id in every call
    /// Closes now and throws Failure where that fails, which a destructor cannot.
    void close(const std::string& what);

private:
    hid_t id_ = -1;
    herr_t (*close_)(hid_t) = nullptr;
};

/// HDF5 for this thread alone while it lives, with the printing of errors off: the library need not be built for
/// several threads, and it mistakes a file that one thread writes while another reads it for one that is open twice.
class Quiet {
public:
    Quiet();
    ~Quiet();
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

private:
    std::unique_lock<std::recursive_mutex> alone_;
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

/// Innermost cause on this thread's HDF5 error stack, with the system's words where there are any.
std::string cause();
/// Throws Failure("`what`: cause") where `status` is negative.
void check(std::int64_t status, const std::string& what);

// ---- types ---------------------------------------------------------------------------------------------------

template <typename T> hid_t native();
template <> inline hid_t native<std::uint8_t>() { return H5T_NATIVE_UINT8; }
template <> inline hid_t native<std::int32_t>() { return H5T_NATIVE_INT32; }
template <> inline hid_t native<std::int64_t>() { return H5T_NATIVE_INT64; }
template <> inline hid_t native<std::uint64_t>() { return H5T_NATIVE_UINT64; }
template <> inline hid_t native<float>() { return H5T_NATIVE_FLOAT; }
template <> inline hid_t native<double>() { return H5T_NATIVE_DOUBLE; }

/// Fixed-length UTF-8 of `bytes` (at least 1), padded with zeros: the kind that may stand in a file that is read live.
Handle string_type(std::size_t bytes);
/// Boolean as h5py and MATLAB know it: an enum FALSE, TRUE over int8.
Handle bool_type();
/// Text cut to at most `bytes` without cutting a UTF-8 character.
std::string cut(const std::string& text, std::size_t bytes);
/// The same, with "…" behind what was cut (in no more than `bytes`), so that nobody takes a part for the whole.
std::string cut_with_mark(const std::string& text, std::size_t bytes);

// ---- attributes ----------------------------------------------------------------------------------------------

/// Text with room for at least `bytes`, so that rewrite_attribute can put a longer one there later.
void write_attribute(hid_t object, const char* name, const std::string& value, std::size_t bytes = 1);
void write_attribute(hid_t object, const char* name, const char* value);
void write_attribute(hid_t object, const char* name, double value);
void write_attribute(hid_t object, const char* name, std::int64_t value);
void write_attribute(hid_t object, const char* name, std::uint64_t value);
void write_attribute(hid_t object, const char* name, bool value);
/// Puts a text into a text attribute that has room for it, which moves nothing in the file. Throws Failure where it is
/// missing or too small.
void rewrite_attribute(hid_t object, const char* name, const std::string& value);
/// Each throws Failure where the attribute is missing or of another type.
std::string read_string(hid_t object, const char* name);
double read_double(hid_t object, const char* name);
std::int64_t read_int(hid_t object, const char* name);
std::uint64_t read_uint(hid_t object, const char* name);
bool read_bool(hid_t object, const char* name);

// ---- groups and datasets -------------------------------------------------------------------------------------

bool exists(hid_t parent, const std::string& name);
/// Names of what a group holds, ascending.
std::vector<std::string> names_in(hid_t group);
Handle create_group(hid_t parent, const std::string& name);
Handle open_group(hid_t parent, const std::string& name);
Handle open_dataset(hid_t parent, const std::string& name);

/// What a dataset to be made is.
struct DatasetSpec {
    std::string path; ///< absolute; its group is there already
    hid_t type = -1;
    std::vector<hsize_t> shape; ///< empty: a scalar
    std::vector<hsize_t> chunk; ///< empty: contiguous, its space allocated and filled at once
    const void* fill = nullptr; ///< one element of `type`
    std::string units;
    std::string description;
    std::vector<std::string> axes; ///< one name a dimension; scale /axes/<name> is attached
};
/// Makes a dataset with its attributes and dimension scales. Shuffle and deflate where it is chunked.
Handle create_dataset(hid_t file, const DatasetSpec& spec);
/// Makes the dimension scale /axes/<name> with the numbers first, first + 1, …
void create_axis(hid_t file, const std::string& name, std::int64_t size, std::int64_t first, const char* description);

/// Dimensions of a dataset.
std::vector<hsize_t> shape_of(hid_t dataset);
/// Throws Failure unless `dataset` has this shape and really holds that many elements in the file, so that a header
/// that lies about its size is refused before any memory is asked for. `name` is for the message.
void expect(hid_t dataset, const std::vector<hsize_t>& shape, const std::string& name);
/// Throws Failure unless the dataset's type is of this class.
void expect_class(hid_t dataset, H5T_class_t type_class, const std::string& name);

/// Numbers behind `path`, which must have this shape; HDF5 converts between number types.
template <typename T>
std::vector<T> read_numbers(hid_t file, const std::string& path, const std::vector<hsize_t>& shape)
{
    const Handle dataset = open_dataset(file, path);
    expect(dataset, shape, path);
    const bool floating = std::is_floating_point_v<T>;
    expect_class(dataset, floating ? H5T_FLOAT : H5T_INTEGER, path);
    std::size_t count = 1;
    for (const hsize_t extent : shape)
        count *= extent;
    std::vector<T> values(count);
    if (count > 0)
        check(H5Dread(dataset, native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading " + path);
    return values;
}

// ---- files ---------------------------------------------------------------------------------------------------

/// Opens for reading, also while another process writes it or after its writer was killed. Throws Failure.
Handle open_for_reading(const std::filesystem::path& file);
/// Opens a finished file so that others can read it while it is written (SWMR); takes no lock. Throws Failure.
Handle open_for_live_writing(const std::filesystem::path& file);
/// The file's last writer closed it: nobody writes it now and nobody was killed at it.
bool is_closed(const std::filesystem::path& file);

/// A file made in memory, so that a full disk is met by our own write and never inside the HDF5 library, which
/// does not survive it (1.10.8 crashes at exit after a failed flush).
class MemoryFile {
public:
    MemoryFile();
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    hid_t id() const { return file_; }
    /// Closes the file and gives its bytes, which live as long as this object.
    std::pair<const std::byte*, std::size_t> finish();

private:
    static void* allocate(std::size_t size, H5FD_file_image_op_t operation, void* self);
    static void* reallocate(void* block, std::size_t size, H5FD_file_image_op_t operation, void* self);
    static herr_t release(void* block, H5FD_file_image_op_t operation, void* self);
    static void* copy_self(void* self);
    static herr_t free_self(void* self);

    void* block_ = nullptr;
    Handle file_;
};

} // namespace keepset::h5
