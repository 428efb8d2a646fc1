#pragma once

#include "tests/support/keep_files.h"

#include <hdf5.h>

/// The same as HDF5 files, by HDF5 itself.
namespace keep_files {

/// `format`: keepset_format; empty: none. Truth is written as h5py does, an enum over int8.
inline void write_h5(
    const std::filesystem::path& path, const std::vector<Array>& arrays, const std::string& format = "keep")
{
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);
    for (const std::int8_t value : { std::int8_t { 0 }, std::int8_t { 1 } })
        H5Tenum_insert(truth, value == 0 ? "FALSE" : "TRUE", &value);
    for (const Array& each : arrays) {
        const std::vector<hsize_t> shape(each.shape.begin(), each.shape.end());
        const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
        const hid_t type = each.dtype == "F32" ? H5T_NATIVE_FLOAT
            : each.dtype == "F64"              ? H5T_NATIVE_DOUBLE
            : each.dtype == "I64"              ? H5T_NATIVE_INT64
            : each.dtype == "U8"               ? H5T_NATIVE_UINT8
                                               : truth;
        const hid_t dataset = H5Dcreate2(file, each.name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, each.bytes.data());
        H5Dclose(dataset);
        H5Sclose(space);
    }
    if (!format.empty()) {
        const hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, format.size());
        const hid_t space = H5Screate(H5S_SCALAR);
        const hid_t attribute = H5Acreate2(file, "keepset_format", type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(attribute, type, format.data());
        H5Aclose(attribute);
        H5Sclose(space);
        H5Tclose(type);
    }
    H5Tclose(truth);
    H5Fclose(file);
}

} // namespace keep_files
