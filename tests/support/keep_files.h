#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// Files for file(path=…) as other programs write them, byte by byte, so that core's readers do not
/// vouch for themselves.
namespace keep_files {

/// One array to be written.
struct Array {
    std::string name;
    std::string dtype; ///< "F32", "F64", "F16", "BF16", "BOOL", "U8", "I32", "I64"
    std::vector<std::int64_t> shape;
    std::string bytes;
};

template <typename T> Array array(
    const std::string& name, const std::string& dtype, std::vector<std::int64_t> shape, const std::vector<T>& values)
{
    Array made { name, dtype, std::move(shape), std::string(values.size() * sizeof(T), '\0') };
    if (!values.empty())
        std::memcpy(made.bytes.data(), values.data(), made.bytes.size());
    return made;
}

inline Array scores(std::vector<std::int64_t> shape, const std::vector<float>& values)
{
    return array("scores", "F32", std::move(shape), values);
}

inline Array keep(std::vector<std::int64_t> shape, const std::vector<std::uint8_t>& values)
{
    return array("keep", "BOOL", std::move(shape), values);
}

inline Array tokens(std::vector<std::int64_t> shape, const std::vector<std::int64_t>& ids)
{
    return array("tokens", "I64", std::move(shape), ids);
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes)
{
    std::ofstream(file, std::ios::binary) << bytes;
}

inline std::string list_of(const std::vector<std::int64_t>& shape)
{
    std::string text;
    for (const std::int64_t extent : shape)
        text += std::to_string(extent) + ", ";
    return text.empty() ? text : text.substr(0, text.size() - 2);
}

template <typename T> std::string little(T value)
{
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

inline std::string safetensors(const std::vector<Array>& arrays)
{
    std::string header = "{";
    std::string data;
    for (const Array& each : arrays) {
        header += (header.size() > 1 ? ",\"" : "\"") + each.name + "\":{\"dtype\":\"" + each.dtype + "\",\"shape\":["
            + list_of(each.shape) + "],\"data_offsets\":[" + std::to_string(data.size()) + ","
            + std::to_string(data.size() + each.bytes.size()) + "]}";
        data += each.bytes;
    }
    header += "}";
    return little(std::uint64_t { header.size() }) + header + data;
}

/// As numpy.lib.format writes one.
inline std::string npy(const Array& array, bool fortran = false)
{
    const std::string type = array.dtype == "BOOL" ? "|b1"
        : array.dtype == "U8"
        ? "|u1"
        : std::string(array.dtype[0] == 'F' ? "<f" : "<i") + std::to_string(std::stoi(array.dtype.substr(1)) / 8);
    std::string header = "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': ("
        + list_of(array.shape) + (array.shape.size() == 1 ? ",), }" : "), }");
    header.resize((header.size() + 10 + 64) / 64 * 64 - 11, ' ');
    header += '\n';
    return "\x93NUMPY\x01" + std::string(1, '\0') + little(static_cast<std::uint16_t>(header.size())) + header
        + array.bytes;
}

inline std::string deflated(const std::string& bytes)
{
    std::string packed(compressBound(bytes.size()) + 64, '\0');
    z_stream stream {};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// A zip of .npy files, as zipfile of Python writes it for numpy.savez (stored, sizes in the extra field of the local
/// header) or numpy.savez_compressed.
inline std::string npz(const std::vector<Array>& arrays, bool compressed = false)
{
    std::string file;
    std::string directory;
    for (const Array& each : arrays) {
        const std::string plain = npy(each);
        const std::string packed = compressed ? deflated(plain) : plain;
        const std::string name = each.name + ".npy";
        const auto crc = static_cast<std::uint32_t>(
            crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size())));
        const std::string method = little(std::uint16_t { 0 }) + little(static_cast<std::uint16_t>(compressed ? 8 : 0))
            + little(std::uint32_t { 0 }) + little(crc);
        const std::string large = little(std::uint16_t { 1 }) + little(std::uint16_t { 16 })
            + little(std::uint64_t { plain.size() }) + little(std::uint64_t { packed.size() });
        directory += "PK\x01\x02" + little(std::uint16_t { 45 }) + little(std::uint16_t { 45 }) + method
            + little(static_cast<std::uint32_t>(packed.size())) + little(static_cast<std::uint32_t>(plain.size()))
            + little(static_cast<std::uint16_t>(name.size())) + std::string(12, '\0')
            + little(static_cast<std::uint32_t>(file.size())) + name;
        file += "PK\x03\x04" + little(std::uint16_t { 45 }) + method + little(0xFFFFFFFFU) + little(0xFFFFFFFFU)
            + little(static_cast<std::uint16_t>(name.size())) + little(static_cast<std::uint16_t>(large.size())) + name
            + large + packed;
    }
    const auto count = static_cast<std::uint16_t>(arrays.size());
    return file + directory + "PK\x05\x06" + std::string(4, '\0') + little(count) + little(count)
        + little(static_cast<std::uint32_t>(directory.size())) + little(static_cast<std::uint32_t>(file.size()))
        + std::string(2, '\0');
}

} // namespace keep_files
