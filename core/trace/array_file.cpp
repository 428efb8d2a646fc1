#include "core/trace/array_file.h"

#include "core/files.h"
#include "core/model/safetensors.h"
#include "core/trace/h5.h"
#include "core/trace/raw_array.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace keepset::trace {

namespace {

    namespace fs = std::filesystem;

    class SafetensorsFile : public ArrayFile {
    public:
        explicit SafetensorsFile(const fs::path& file)
            : map_(file)
            , tensors_(read_header(map_, file.string()))
        {
        }
        std::string container() const override { return "safetensors"; }
        std::vector<std::string> names() const override
        {
            std::vector<std::string> names;
            for (const auto& [name, tensor] : tensors_)
                names.push_back(name);
            return names;
        }
        ArrayInfo info(const std::string& name) const override { return info_of(raw(name), name); }
        std::vector<float> floats(const std::string& name, std::int64_t part) const override
        {
            return floats_of(raw(name), part);
        }
        std::vector<std::int64_t> integers(const std::string& name, std::int64_t part) const override
        {
            return integers_of(raw(name), part);
        }

    private:
        RawArray raw(const std::string& name) const
        {
            const StoredTensor& tensor = tensors_.at(name);
            return { tensor.dtype, tensor.shape, { tensor.data, tensor.bytes } };
        }
        MappedFile map_;
        std::map<std::string, StoredTensor> tensors_;
    };

    class NpzFile : public ArrayFile {
    public:
        explicit NpzFile(const fs::path& file)
            : map_(file)
            , npz_({ map_.data(), map_.bytes() })
        {
        }
        std::string container() const override { return "npz"; }
        std::vector<std::string> names() const override { return npz_.names(); }
        ArrayInfo info(const std::string& name) const override { return info_of(npz_.read(name), name); }
        std::vector<float> floats(const std::string& name, std::int64_t part) const override
        {
            return floats_of(npz_.read(name), part);
        }
        std::vector<std::int64_t> integers(const std::string& name, std::int64_t part) const override
        {
            return integers_of(npz_.read(name), part);
        }

    private:
        MappedFile map_;
        Npz npz_;
    };

    /// Opened anew for each question, so that no handle is left to be closed while another thread uses HDF5.
    class Hdf5File : public ArrayFile {
    public:
        explicit Hdf5File(fs::path file)
            : file_(std::move(file))
        {
            (void)h5::open_for_reading(file_);
        }
        std::vector<std::string> names() const override
        {
            const h5::Handle file = h5::open_for_reading(file_);
            H5G_info_t root {};
            h5::check(H5Gget_info(file, &root), "its contents");
            std::vector<std::string> names;
            for (hsize_t index = 0; index < root.nlinks; ++index) {
                std::string name(256, '\0'); // a longer one is none of those asked for
                h5::check(H5Lget_name_by_idx(
                              file, ".", H5_INDEX_NAME, H5_ITER_INC, index, name.data(), name.size(), H5P_DEFAULT),
                    "its contents");
                name.resize(std::strlen(name.c_str()));
                names.push_back(std::move(name));
            }
            return names;
        }
        ArrayInfo info(const std::string& name) const override
        {
            const h5::Handle file = h5::open_for_reading(file_);
            const h5::Handle dataset = open(file, name);
            const h5::Handle type(H5Dget_type(dataset), H5Tclose, "type of " + name);
            const H5T_class_t found = H5Tget_class(type);
            if (found != H5T_FLOAT && found != H5T_INTEGER && found != H5T_ENUM)
                throw h5::Failure(name + " holds no numbers");
            std::vector<hsize_t> shape = h5::shape_of(dataset);
            h5::expect(dataset, shape, name); // what a header claims must be there
            return { found == H5T_FLOAT ? ArrayKind::floating
                    : found == H5T_ENUM ? ArrayKind::boolean
                                        : ArrayKind::integer,
                { shape.begin(), shape.end() } };
        }
        std::vector<float> floats(const std::string& name, std::int64_t part) const override
        {
            return read<float>(name, part);
        }
        std::vector<std::int64_t> integers(const std::string& name, std::int64_t part) const override
        {
            return read<std::int64_t>(name, part);
        }
        std::string container() const override { return "HDF5"; }
        std::string attribute(const std::string& name) const override
        {
            const h5::Handle file = h5::open_for_reading(file_);
            return H5Aexists(file, name.c_str()) > 0 ? h5::read_string(file, name.c_str()) : std::string();
        }

    private:
        static h5::Handle open(hid_t file, const std::string& name)
        {
            const h5::Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose, "opening " + name);
            if (H5Iget_type(object) != H5I_DATASET)
                throw h5::Failure(name + " is a group and no array");
            return h5::open_dataset(file, name);
        }
        template <typename T> std::vector<T> read(const std::string& name, std::int64_t part) const
        {
            const h5::Handle file = h5::open_for_reading(file_);
            const h5::Handle dataset = open(file, name);
            const std::vector<hsize_t> shape = h5::shape_of(dataset);
            std::vector<hsize_t> start(shape.size(), 0);
            std::vector<hsize_t> count = shape;
            if (part >= 0) {
                start[0] = static_cast<hsize_t>(part);
                count[0] = 1;
            }
            const h5::Handle space(H5Dget_space(dataset), H5Sclose, name);
            h5::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), name);
            const h5::Handle memory(
                H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose, name);
            std::vector<T> values(std::accumulate(count.begin(), count.end(), std::size_t { 1 }, std::multiplies<>()));
            h5::check(H5Dread(dataset, h5::native<T>(), memory, space, H5P_DEFAULT, values.data()), "reading " + name);
            return values;
        }
        fs::path file_;
    };

    bool begins_with(const MappedFile& file, std::string_view bytes)
    {
        return file.bytes() >= bytes.size() && std::memcmp(file.data(), bytes.data(), bytes.size()) == 0;
    }

} // namespace

std::unique_ptr<ArrayFile> open_arrays(const fs::path& file)
{
    std::error_code error;
    if (!fs::exists(file, error))
        throw h5::Failure("there is no such file");
    if (is_hdf5(file))
        return std::make_unique<Hdf5File>(file);
    const MappedFile map(file);
    if (begins_with(map, "PK"))
        return std::make_unique<NpzFile>(file);
    if (begins_with(map, "\x93NUMPY"))
        throw h5::Failure("it is one array without a name: write np.savez(\"mine.npz\", scores=scores)");
    constexpr std::size_t behind_size = 8; // of a safetensors header, which is JSON
    if (map.bytes() <= behind_size || static_cast<char>(map.data()[behind_size]) != '{')
        throw h5::Failure("it is no HDF5, safetensors or npz file");
    return std::make_unique<SafetensorsFile>(file);
}

} // namespace keepset::trace
