#include "core/trace/h5.h"

#include <hdf5_hl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

namespace keepset::h5 {

Handle::Handle(hid_t id, herr_t (*closer)(hid_t), const std::string& what)
    : id_(id)
    , close_(closer)
{
    check(id, what);
}

Handle::~Handle()
{
    if (id_ >= 0)
        close_(id_);
}

Handle::Handle(Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1))
    , close_(other.close_)
{
}

Handle& Handle::operator=(Handle&& other) noexcept
{
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
}

void Handle::close(const std::string& what)
{
    if (id_ >= 0)
        check(close_(std::exchange(id_, -1)), what);
}

namespace {

    std::recursive_mutex& library()
    {
        static std::recursive_mutex only; // HDF5 is one for the whole process
        return only;
    }

} // namespace

Quiet::Quiet()
    : alone_(library())
{
    // Every handle of ours closes itself. What HDF5 1.10.8 leaves behind of a damaged file would make its own clean-up
    // at exit loop or crash; this counts only before the library starts, and is refused without harm later.
    H5dont_atexit();
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Quiet::~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

std::string cause()
{
    std::string innermost;
    const auto first = [](unsigned number, const H5E_error2_t* error, void* text) -> herr_t {
        if (number == 0 && error->desc != nullptr)
            *static_cast<std::string*>(text) = error->desc;
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first, &innermost);
    // "…, errno = 28, error message = 'No space left on device', …": the quoted words are what a user understands.
    const std::string mark = "error message = '";
    const std::size_t begin = innermost.find(mark);
    if (begin != std::string::npos) {
        const std::size_t from = begin + mark.size();
        return innermost.substr(from, innermost.find('\'', from) - from);
    }
    return innermost.empty() ? "no cause given by HDF5" : innermost;
}

void check(std::int64_t status, const std::string& what)
{
    if (status >= 0)
        return;
    std::string message = what + ": " + cause();
    H5Eclear2(H5E_DEFAULT);
    throw Failure(message);
}

Handle string_type(std::size_t bytes)
{
    Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
    check(H5Tset_size(type, std::max<std::size_t>(bytes, 1)), "string type");
    check(H5Tset_cset(type, H5T_CSET_UTF8), "string type");
    check(H5Tset_strpad(type, H5T_STR_NULLPAD), "string type");
    return type;
}

Handle bool_type()
{
    Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose, "boolean type");
    const std::int8_t no = 0;
    const std::int8_t yes = 1;
    check(H5Tenum_insert(type, "FALSE", &no), "boolean type");
    check(H5Tenum_insert(type, "TRUE", &yes), "boolean type");
    return type;
}

std::string cut(const std::string& text, std::size_t bytes)
{
    if (text.size() <= bytes)
        return text;
    std::size_t end = bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

std::string cut_with_mark(const std::string& text, std::size_t bytes)
{
    const std::string mark = "\u2026";
    if (text.size() <= bytes)
        return text;
    return bytes < mark.size() ? cut(text, bytes) : cut(text, bytes - mark.size()) + mark;
}

bool exists(hid_t parent, const std::string& name) { return H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0; }

std::vector<std::string> names_in(hid_t group)
{
    H5G_info_t info {};
    check(H5Gget_info(group, &info), "listing a group");
    std::vector<std::string> names;
    for (hsize_t index = 0; index < info.nlinks; ++index) {
        const auto name_at = [&](char* to, std::size_t room) {
            const ssize_t size
                = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, to, room, H5P_DEFAULT);
            check(size, "listing a group");
            return static_cast<std::size_t>(size);
        };
        std::string name(name_at(nullptr, 0), '\0');
        name_at(name.data(), name.size() + 1); // with the zero behind it
        names.push_back(std::move(name));
    }
    return names;
}

Handle create_group(hid_t parent, const std::string& name)
{
    return { H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "making " + name };
}

Handle open_group(hid_t parent, const std::string& name)
{
    if (!exists(parent, name))
        throw Failure("it has no group " + name);
    return { H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose, "opening " + name };
}

Handle open_dataset(hid_t parent, const std::string& name)
{
    const std::size_t slash = name.rfind('/');
    if (slash != std::string::npos && slash > 0)
        open_group(parent, name.substr(0, slash));
    if (!exists(parent, name))
        throw Failure("it has no dataset " + name);
    return { H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + name };
}

namespace {

    Handle layout_of(const DatasetSpec& spec)
    {
        Handle layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "layout of " + spec.path);
        const bool empty = std::ranges::find(spec.shape, hsize_t { 0 }) != spec.shape.end();
        if (!spec.chunk.empty() && !empty) {
            check(H5Pset_chunk(layout, static_cast<int>(spec.chunk.size()), spec.chunk.data()), spec.path);
            check(H5Pset_shuffle(layout), spec.path);
            check(H5Pset_deflate(layout, 1), spec.path); // float32 scores: level 6 saves 1% more, at half the speed
        } else {
            check(H5Pset_alloc_time(layout, H5D_ALLOC_TIME_EARLY), spec.path);
        }
        if (spec.fill != nullptr)
            check(H5Pset_fill_value(layout, spec.type, spec.fill), spec.path);
        return layout;
    }

    std::string joined(const std::vector<std::string>& axes)
    {
        std::string text;
        for (const std::string& axis : axes)
            text += (text.empty() ? "" : ",") + axis;
        return text;
    }

} // namespace

Handle create_dataset(hid_t file, const DatasetSpec& spec)
{
    const Handle space(spec.shape.empty()
            ? H5Screate(H5S_SCALAR)
            : H5Screate_simple(static_cast<int>(spec.shape.size()), spec.shape.data(), nullptr),
        H5Sclose, "space of " + spec.path);
    const Handle layout = layout_of(spec);
    Handle dataset(H5Dcreate2(file, spec.path.c_str(), spec.type, space, H5P_DEFAULT, layout, H5P_DEFAULT), H5Dclose,
        "making " + spec.path);
    write_attribute(dataset, "units", spec.units);
    write_attribute(dataset, "description", spec.description);
    if (!spec.axes.empty())
        write_attribute(dataset, "axes", joined(spec.axes));
    for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
        const Handle scale = open_dataset(file, "/axes/" + spec.axes[axis]);
        check(H5DSattach_scale(dataset, scale, static_cast<unsigned>(axis)), "axis of " + spec.path);
    }
    return dataset;
}

void create_axis(hid_t file, const std::string& name, std::int64_t size, std::int64_t first, const char* description)
{
    std::vector<std::int64_t> values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), first);
    const std::vector<hsize_t> shape { static_cast<hsize_t>(size) };
    DatasetSpec spec { "/axes/" + name, H5T_STD_I64LE, shape, shape, nullptr, "index", description, {} };
    const Handle scale = create_dataset(file, spec);
    write_attribute(scale, "axes", name);
    check(H5DSset_scale(scale, name.c_str()), "axis " + name);
    if (size > 0)
        check(H5Dwrite(scale, native<std::int64_t>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "axis " + name);
}

std::vector<hsize_t> shape_of(hid_t dataset)
{
    const Handle space(H5Dget_space(dataset), H5Sclose, "dimensions");
    const int rank = H5Sget_simple_extent_ndims(space);
    check(rank, "dimensions");
    std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "dimensions");
    return shape;
}

namespace {

    std::string text_of(const std::vector<hsize_t>& shape)
    {
        std::string text = "[";
        for (const hsize_t extent : shape)
            text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    }

    /// Bytes the dataset can hold, given what it occupies in the file: deflate packs at most 1032 to 1.
    hsize_t most_bytes(hid_t dataset, const std::string& name)
    {
        const Handle layout(H5Dget_create_plist(dataset), H5Pclose, "layout of " + name);
        const H5D_layout_t kind = H5Pget_layout(layout);
        if (kind != H5D_CHUNKED && kind != H5D_CONTIGUOUS && kind != H5D_COMPACT)
            throw Failure(name + " keeps its values in other files");
        if (H5Pget_external_count(layout) > 0)
            throw Failure(name + " keeps its values in other files");
        const hsize_t stored = H5Dget_storage_size(dataset);
        const Handle file(H5Iget_file_id(dataset), H5Fclose, "file of " + name);
        hsize_t file_bytes = 0;
        check(H5Fget_filesize(file, &file_bytes), "size of the file");
        if (stored > file_bytes)
            throw Failure(name + " claims more bytes than the file has");
        return kind == H5D_CHUNKED ? stored * 1040 : stored;
    }

} // namespace

void expect(hid_t dataset, const std::vector<hsize_t>& shape, const std::string& name)
{
    const std::vector<hsize_t> found = shape_of(dataset);
    if (found != shape)
        throw Failure(name + " has the dimensions " + text_of(found) + " where " + text_of(shape) + " is needed");
    const Handle type(H5Dget_type(dataset), H5Tclose, "type of " + name);
    const hsize_t most = most_bytes(dataset, name);
    hsize_t bytes = H5Tget_size(type);
    for (const hsize_t extent : shape) {
        if (extent != 0 && bytes > most / extent)
            throw Failure(name + " is not all there (the file was cut off or never finished)");
        bytes *= extent;
    }
    if (bytes > most)
        throw Failure(name + " is not all there (the file was cut off or never finished)");
}

void expect_class(hid_t dataset, H5T_class_t type_class, const std::string& name)
{
    const Handle type(H5Dget_type(dataset), H5Tclose, "type of " + name);
    const H5T_class_t found = H5Tget_class(type);
    if (found != type_class)
        throw Failure(name + " has values of another type than it should");
}

} // namespace keepset::h5
