#include "core/tokenizer/utf8.h"
#include "core/trace/h5.h"

#include <algorithm>
#include <cstring>

namespace keepset::h5 {

namespace {

    void write_scalar(hid_t object, const char* name, hid_t type, const void* value)
    {
        const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "a scalar");
        const Handle attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
            std::string("attribute ") + name);
        check(H5Awrite(attribute, type, value), std::string("attribute ") + name);
    }

    /// Opens a scalar attribute (one element) whose type is of one of two classes.
    Handle open_scalar(hid_t object, const char* name, H5T_class_t first, H5T_class_t second)
    {
        if (H5Aexists(object, name) <= 0)
            throw Failure(std::string("it has no attribute ") + name);
        Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, std::string("attribute ") + name);
        const Handle space(H5Aget_space(attribute), H5Sclose, name);
        const Handle type(H5Aget_type(attribute), H5Tclose, name);
        const H5T_class_t found = H5Tget_class(type);
        if (H5Sget_simple_extent_npoints(space) != 1 || (found != first && found != second))
            throw Failure(std::string("its attribute ") + name + " is not of the type it should be");
        return attribute;
    }

    template <typename T> T read_scalar(hid_t object, const char* name, H5T_class_t first, H5T_class_t second)
    {
        const Handle attribute = open_scalar(object, name, first, second);
        T value {};
        check(H5Aread(attribute, native<T>(), &value), std::string("attribute ") + name);
        return value;
    }

    /// Variable-length text, as h5py writes it when somebody edits an attribute.
    std::string read_variable(hid_t attribute, hid_t type, const char* name)
    {
        char* text = nullptr;
        check(H5Aread(attribute, type, static_cast<void*>(&text)), std::string("attribute ") + name);
        std::string value = text == nullptr ? "" : text;
        H5free_memory(text);
        return value;
    }

} // namespace

void write_attribute(hid_t object, const char* name, const std::string& value, std::size_t bytes)
{
    std::string padded = shown_utf8(value); // a file name may hold any bytes, an attribute is UTF-8
    padded.resize(std::max({ padded.size(), bytes, std::size_t { 1 } }), '\0');
    const Handle type = string_type(padded.size());
    write_scalar(object, name, type, padded.data());
}

void rewrite_attribute(hid_t object, const char* name, const std::string& value)
{
    const Handle attribute = open_scalar(object, name, H5T_STRING, H5T_STRING);
    const Handle type(H5Aget_type(attribute), H5Tclose, name);
    if (H5Tis_variable_str(type) > 0 || H5Tget_size(type) < value.size())
        throw Failure(std::string("its attribute ") + name + " has no room for '" + value + "'");
    std::string padded = value;
    padded.resize(H5Tget_size(type), '\0');
    check(H5Awrite(attribute, type, padded.data()), std::string("attribute ") + name);
}

void write_attribute(hid_t object, const char* name, const char* value)
{
    write_attribute(object, name, std::string(value));
}

void write_attribute(hid_t object, const char* name, double value)
{
    write_scalar(object, name, H5T_NATIVE_DOUBLE, &value);
}

void write_attribute(hid_t object, const char* name, std::int64_t value)
{
    write_scalar(object, name, H5T_NATIVE_INT64, &value);
}

void write_attribute(hid_t object, const char* name, std::uint64_t value)
{
    write_scalar(object, name, H5T_NATIVE_UINT64, &value);
}

void write_attribute(hid_t object, const char* name, bool value)
{
    const Handle type = bool_type();
    const std::int8_t number = value ? 1 : 0;
    write_scalar(object, name, type, &number);
}

std::string read_string(hid_t object, const char* name)
{
    const Handle attribute = open_scalar(object, name, H5T_STRING, H5T_STRING);
    const Handle type(H5Aget_type(attribute), H5Tclose, name);
    if (H5Tis_variable_str(type) > 0)
        return read_variable(attribute, type, name);
    std::string value(H5Tget_size(type), '\0');
    check(H5Aread(attribute, type, value.data()), std::string("attribute ") + name);
    value.resize(::strnlen(value.data(), value.size()));
    return value;
}

double read_double(hid_t object, const char* name) { return read_scalar<double>(object, name, H5T_FLOAT, H5T_INTEGER); }

std::int64_t read_int(hid_t object, const char* name)
{
    return read_scalar<std::int64_t>(object, name, H5T_INTEGER, H5T_INTEGER);
}

std::uint64_t read_uint(hid_t object, const char* name)
{
    return read_scalar<std::uint64_t>(object, name, H5T_INTEGER, H5T_INTEGER);
}

bool read_bool(hid_t object, const char* name)
{
    const Handle attribute = open_scalar(object, name, H5T_ENUM, H5T_INTEGER);
    const Handle type(H5Aget_type(attribute), H5Tclose, name);
    if (H5Tget_size(type) != 1)
        throw Failure(std::string("its attribute ") + name + " is not of the type it should be");
    std::int8_t value = 0;
    check(H5Aread(attribute, type, &value), std::string("attribute ") + name);
    return value != 0;
}

} // namespace keepset::h5
