#include "core/trace/h5.h"
#include "core/trace/raw_array.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

/// npz files as numpy writes them: the zip format (APPNOTE 6.3, 4.3 and 4.5.3) as far as they use it, and .npy inside
/// (numpy.lib.format, versions 1 to 3). zlib inflates.
namespace keepset::trace {

namespace {

    using Bytes = std::span<const std::byte>;

    [[noreturn]] void refuse_damaged() { throw h5::Failure("it is no zip archive that is whole (cut off or damaged)"); }

    /// Little-endian number at `at`.
    template <typename T> T number(Bytes bytes, std::size_t at)
    {
        if (at > bytes.size() || bytes.size() - at < sizeof(T))
            refuse_damaged();
        T value {};
        std::memcpy(&value, bytes.data() + at, sizeof value);
        return value;
    }

    std::string text(Bytes bytes, std::size_t at, std::size_t size)
    {
        if (at > bytes.size() || bytes.size() - at < size)
            refuse_damaged();
        return { reinterpret_cast<const char*>(bytes.data()) + at, size };
    }

    std::size_t checked_size(std::uint64_t value)
    {
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            refuse_damaged();
        return value;
    }

    struct Directory {
        std::uint64_t entries = 0;
        std::uint64_t begin = 0;
    };

    /// What the end of the archive says of its directory.
    Directory directory_of(Bytes file)
    {
        constexpr std::size_t end_size = 22;
        constexpr std::size_t longest_comment = 65535;
        constexpr std::uint32_t end_mark = 0x06054b50;
        if (file.size() < end_size)
            refuse_damaged();
        std::size_t end = file.size() - end_size;
        const std::size_t first = end - std::min(end, longest_comment);
        while (number<std::uint32_t>(file, end) != end_mark) {
            if (end == first)
                refuse_damaged();
            --end;
        }
        Directory found { number<std::uint16_t>(file, end + 10), number<std::uint32_t>(file, end + 16) };
        if (found.entries != 0xFFFF && found.begin != 0xFFFFFFFF)
            return found;
        constexpr std::size_t locator_size = 20;
        if (end < locator_size || number<std::uint32_t>(file, end - locator_size) != 0x07064b50)
            return found;
        const std::size_t large = checked_size(number<std::uint64_t>(file, end - locator_size + 8));
        return { number<std::uint64_t>(file, large + 32), number<std::uint64_t>(file, large + 48) };
    }

    /// Sizes that do not fit 32 bits stand in the extra field 1, in this order.
    void take_large_sizes(Bytes extra, std::uint64_t (&sizes)[3])
    {
        for (std::size_t at = 0; at + 4 <= extra.size();) {
            const auto size = number<std::uint16_t>(extra, at + 2);
            if (number<std::uint16_t>(extra, at) != 1) {
                at += 4U + size;
                continue;
            }
            at += 4;
            for (std::uint64_t& value : sizes) {
                if (value != 0xFFFFFFFF)
                    continue;
                value = number<std::uint64_t>(extra, at);
                at += 8;
            }
            return;
        }
    }

    /// What stands behind `'key':` in the header of a .npy file, up to `end`.
    std::string header_value(const std::string& header, const std::string& key, char end)
    {
        const std::size_t found = header.find("'" + key + "':");
        if (found == std::string::npos)
            throw h5::Failure("the header of an array lacks " + key);
        const std::size_t begin = header.find_first_not_of(' ', found + key.size() + 3);
        const std::size_t stop = header.find(end, begin);
        return begin == std::string::npos || stop == std::string::npos ? "" : header.substr(begin, stop - begin);
    }

    std::vector<std::int64_t> shape_in(const std::string& list)
    {
        std::vector<std::int64_t> shape;
        const char* at = list.data();
        const char* const end = at + list.size();
        while (at != end) {
            std::int64_t extent = 0;
            const auto [next, problem] = std::from_chars(at, end, extent);
            if (problem == std::errc()) {
                shape.push_back(extent);
                at = next;
            } else {
                ++at; // a parenthesis, a comma, a space
            }
        }
        return shape;
    }

    /// "<f4" as safetensors would call it.
    std::string dtype_of(const std::string& numpy)
    {
        if (numpy == "|b1")
            return "BOOL";
        const bool known = numpy.size() == 3 && numpy[0] != '>' && std::strchr("fiu", numpy[1]) != nullptr;
        return known ? std::string(1, static_cast<char>(numpy[1] - 'a' + 'A')) + std::to_string((numpy[2] - '0') * 8)
                     : numpy;
    }

    RawArray parse_npy(Bytes bytes, const std::string& name)
    {
        if (bytes.size() < 10 || text(bytes, 0, 6) != "\x93NUMPY")
            throw h5::Failure(name + " is no array of numpy's");
        const bool first_version = bytes[6] == std::byte { 1 };
        const std::size_t begin = first_version ? 10 : 12;
        const std::size_t size = first_version ? number<std::uint16_t>(bytes, 8) : number<std::uint32_t>(bytes, 8);
        const std::string header = text(bytes, begin, size);
        std::string type = header_value(header, "descr", ',');
        std::erase(type, '\'');
        if (header_value(header, "fortran_order", ',') != "False")
            throw h5::Failure(name + " is in Fortran order: write np.ascontiguousarray(" + name + ")");
        RawArray array { dtype_of(type), shape_in(header_value(header, "shape", ')')), bytes.subspan(begin + size) };
        return array;
    }

    /// Whether a shape and a type take exactly so many bytes. An unknown type is refused by info_of.
    bool is_whole(const RawArray& array)
    {
        std::size_t bytes
            = array.dtype == "BOOL" ? 1 : static_cast<std::size_t>(std::atoi(array.dtype.c_str() + 1)) / 8;
        for (const std::int64_t extent : array.shape) {
            if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes))
                return false;
        }
        return bytes == array.bytes.size();
    }

    std::vector<std::byte> inflated(Bytes packed, std::size_t bytes)
    {
        // Deflate packs at most 1032 to 1: a size that lies is refused before memory is asked for.
        if (bytes / 1032 > packed.size())
            refuse_damaged();
        std::vector<std::byte> out(bytes);
        z_stream stream {};
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
            throw h5::Failure("zlib cannot be started");
        constexpr std::size_t piece = std::size_t { 1 } << 30U; // zlib counts in 32 bits
        std::size_t in = 0;
        std::size_t made = 0;
        int status = Z_OK;
        while (status == Z_OK) {
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + in)); // only read
            stream.avail_in = static_cast<uInt>(std::min(piece, packed.size() - in));
            stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
            stream.avail_out = static_cast<uInt>(std::min(piece, out.size() - made));
            const uInt given = stream.avail_in;
            const uInt room = stream.avail_out;
            status = inflate(&stream, Z_NO_FLUSH);
            in += given - stream.avail_in;
            made += room - stream.avail_out;
        }
        inflateEnd(&stream);
        if (status != Z_STREAM_END || made != out.size())
            refuse_damaged();
        return out;
    }

    unsigned checksum(Bytes bytes)
    {
        return static_cast<unsigned>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    }

} // namespace

Npz::Npz(std::span<const std::byte> file)
    : file_(file)
{
    const Directory directory = directory_of(file);
    std::size_t at = checked_size(directory.begin);
    for (std::uint64_t entry = 0; entry < directory.entries; ++entry) {
        if (number<std::uint32_t>(file, at) != 0x02014b50)
            refuse_damaged();
        const auto name_size = number<std::uint16_t>(file, at + 28);
        const auto extra_size = number<std::uint16_t>(file, at + 30);
        std::string name = text(file, at + 46, name_size);
        (void)text(file, at + 46, std::size_t { name_size } + extra_size);
        std::uint64_t sizes[] { number<std::uint32_t>(file, at + 24), number<std::uint32_t>(file, at + 20),
            number<std::uint32_t>(file, at + 42) }; // unpacked, packed, where its own header begins
        take_large_sizes(file.subspan(at + 46 + name_size, extra_size), sizes);
        if ((number<std::uint16_t>(file, at + 8) & 1U) != 0)
            throw h5::Failure(name + " in it is encrypted");
        const std::size_t local = checked_size(sizes[2]);
        if (number<std::uint32_t>(file, local) != 0x04034b50)
            refuse_damaged();
        Member member { local + 30 + number<std::uint16_t>(file, local + 26) + number<std::uint16_t>(file, local + 28),
            checked_size(sizes[1]), checked_size(sizes[0]), number<std::uint16_t>(file, at + 10),
            number<std::uint32_t>(file, at + 16) };
        if (member.begin > file.size() || member.packed > file.size() - member.begin)
            refuse_damaged();
        if (name.ends_with(".npy"))
            name.resize(name.size() - 4);
        members_[name] = member;
        at += 46U + name_size + extra_size + number<std::uint16_t>(file, at + 32);
    }
}

std::vector<std::string> Npz::names() const
{
    std::vector<std::string> names;
    for (const auto& [name, member] : members_)
        names.push_back(name);
    return names;
}

std::span<const std::byte> Npz::unpacked(const std::string& name) const
{
    const Member& member = members_.at(name);
    const Bytes packed = file_.subspan(member.begin, member.packed);
    constexpr unsigned stored = 0;
    constexpr unsigned deflated = 8;
    if (member.method != stored && member.method != deflated)
        throw h5::Failure(name + " in it is packed in a way that numpy does not use");
    if (const auto known = known_.find(name); known != known_.end())
        return member.method == stored ? packed : Bytes(known->second);
    std::vector<std::byte> made;
    if (member.method == deflated)
        made = inflated(packed, member.bytes);
    const Bytes bytes = member.method == stored ? packed : Bytes(made);
    if (bytes.size() != member.bytes || checksum(bytes) != member.crc)
        throw h5::Failure(name + " in it is damaged: its checksum is another");
    const Bytes kept = known_[name] = std::move(made);
    return member.method == stored ? packed : kept;
}

RawArray Npz::read(const std::string& name) const
{
    RawArray array = parse_npy(unpacked(name), name);
    (void)info_of(array, name);
    if (!is_whole(array))
        throw h5::Failure(name + " has another number of bytes than its shape " + text_of(array.shape) + " needs");
    return array;
}

} // namespace keepset::trace
