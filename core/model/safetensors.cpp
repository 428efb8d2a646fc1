#include "core/model/safetensors.h"

#include "core/error.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <span>

namespace keepset {

namespace {

    using nlohmann::json;

    [[noreturn]] void refuse(const std::string& file, const std::string& what, const std::string& hint = {})
    {
        throw Error(ErrorKind::input, "'" + file + "': " + what, hint);
    }

    /// 0 for a dtype that is not known: a tensor that nobody takes may have one.
    std::size_t element_bits(const std::string& dtype)
    {
        if (dtype == "F64" || dtype == "I64" || dtype == "U64" || dtype == "C64")
            return 64;
        if (dtype == "F32" || dtype == "I32" || dtype == "U32")
            return 32;
        if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16")
            return 16;
        if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype.starts_with("F8_"))
            return 8;
        if (dtype.starts_with("F6_"))
            return 6;
        return dtype == "F4" ? 4 : 0;
    }

    /// dtype × shape in bits; throws where a size is negative or the product does not fit.
    std::size_t expected_bits(const StoredTensor& tensor, const std::string& name, std::size_t total)
    {
        for (const std::int64_t size : tensor.shape) {
            std::size_t product = 0;
            if (size < 0 || __builtin_mul_overflow(total, static_cast<std::size_t>(size), &product)
                || product >> 62U != 0)
                refuse(tensor.file, "tensor '" + name + "' has an absurd shape.");
            total = product;
        }
        return total;
    }

    /// Dtype, shape and byte range [begin, end) as the header's entry gives them.
    StoredTensor parse_entry(
        const std::string& name, const json& entry, const std::string& file, std::uint64_t (&range)[2])
    {
        StoredTensor tensor;
        tensor.file = file;
        try {
            tensor.dtype = entry.at("dtype").get<std::string>();
            for (const json& size : entry.at("shape")) {
                const bool whole = size.is_number_unsigned() && size.get<std::uint64_t>() >> 62U == 0;
                tensor.shape.push_back(whole ? size.get<std::int64_t>() : -1);
            }
            const json& offsets = entry.at("data_offsets");
            if (offsets.size() != 2 || !offsets.at(0).is_number_unsigned() || !offsets.at(1).is_number_unsigned())
                refuse(file, "tensor '" + name + "' has data_offsets that are not two byte offsets.");
            range[0] = offsets.at(0).get<std::uint64_t>();
            range[1] = offsets.at(1).get<std::uint64_t>();
        } catch (const json::exception&) {
            refuse(file, "the header's entry for tensor '" + name + "' lacks dtype, shape or data_offsets.");
        }
        return tensor;
    }

    StoredTensor read_entry(
        const std::string& name, const json& entry, const std::string& file, std::span<const std::byte> data)
    {
        std::uint64_t range[2] = {};
        StoredTensor tensor = parse_entry(name, entry, file, range);
        if (range[0] > range[1] || range[1] > data.size())
            refuse(file,
                "tensor '" + name + "' lies outside the file (bytes " + std::to_string(range[0]) + " to "
                    + std::to_string(range[1]) + " of " + std::to_string(data.size()) + ").",
                "Is the download complete?");
        tensor.data = data.data() + range[0];
        tensor.bytes = range[1] - range[0];
        const std::size_t bits = element_bits(tensor.dtype);
        const std::size_t expected = expected_bits(tensor, name, std::max<std::size_t>(bits, 1));
        if (bits != 0 && expected != 8 * tensor.bytes)
            refuse(file,
                "tensor '" + name + "' has " + std::to_string(tensor.bytes) + " bytes where its shape and dtype need "
                    + std::to_string(expected / 8) + ".");
        return tensor;
    }

    /// Every byte behind the header belongs to one tensor, as the format's own reader demands: else tensors overlap, or
    /// bytes were lost or added on the way.
    void check_order(
        const std::map<std::string, StoredTensor>& tensors, const std::string& file, std::span<const std::byte> data)
    {
        std::vector<std::pair<const StoredTensor*, const std::string*>> order;
        for (const auto& [name, tensor] : tensors) {
            if (tensor.bytes != 0)
                order.emplace_back(&tensor, &name);
        }
        std::ranges::sort(order, {}, [](const auto& item) { return item.first->data; });
        const std::byte* end = data.data();
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto& [tensor, name] = order[i];
            if (tensor->data < end)
                refuse(file, "tensors '" + *order[i - 1].second + "' and '" + *name + "' overlap.");
            if (tensor->data > end)
                refuse(file,
                    std::to_string(tensor->data - end) + " bytes before tensor '" + *name + "' belong to no tensor.",
                    "The file is damaged: get it again.");
            end = tensor->data + tensor->bytes;
        }
        if (const auto behind = data.data() + data.size() - end; behind != 0)
            refuse(file, std::to_string(behind) + " bytes at the end of the file belong to no tensor.",
                "The file is damaged or was appended to: get it again.");
    }

    /// nlohmann keeps the last of two equal keys in silence; of two tensors with one name nobody knows which is meant.
    json parse_header(const char* text, std::size_t bytes, const std::string& file)
    {
        std::set<std::string> names;
        std::string twice;
        const auto look = [&](int depth, json::parse_event_t event, const json& key) {
            if (depth == 1 && event == json::parse_event_t::key && !names.insert(key.get<std::string>()).second)
                twice = key.get<std::string>();
            return true;
        };
        json header = json::parse(text, text + bytes, look, false);
        if (!header.is_object())
            refuse(file, "the safetensors header is not valid JSON.", "Is the download complete?");
        if (!twice.empty())
            refuse(file, "the header names tensor '" + twice + "' twice.", "The file is damaged: get it again.");
        return header;
    }

} // namespace

std::map<std::string, StoredTensor> read_header(const MappedFile& map, const std::string& file)
{
    std::uint64_t header_bytes = 0;
    if (map.bytes() < sizeof header_bytes)
        refuse(file, "the file is too short to be a safetensors file (" + std::to_string(map.bytes()) + " bytes).");
    std::memcpy(&header_bytes, map.data(), sizeof header_bytes);
    // 100 MB is the format's own limit for a header.
    if (header_bytes > 100'000'000 || header_bytes > map.bytes() - sizeof header_bytes)
        refuse(file,
            "the header claims " + std::to_string(header_bytes) + " bytes in a file of " + std::to_string(map.bytes())
                + ".",
            "Is it a safetensors file, and is the download complete?");
    const auto* text = reinterpret_cast<const char*>(map.data()) + sizeof header_bytes;
    const json header = parse_header(text, header_bytes, file);
    const std::size_t begin = sizeof header_bytes + header_bytes;
    const std::span<const std::byte> data { map.data() + begin, map.bytes() - begin };
    std::map<std::string, StoredTensor> tensors;
    for (const auto& [name, entry] : header.items()) {
        if (name != "__metadata__")
            tensors.emplace(name, read_entry(name, entry, file, data));
    }
    check_order(tensors, file, data);
    return tensors;
}

MappedFile::MappedFile(const std::filesystem::path& file)
    : file_(file)
{
    handle_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle_ < 0)
        refuse(file.string(), std::string("the file cannot be opened: ") + std::strerror(errno) + ".");
    struct stat status { };
    const bool regular = ::fstat(handle_, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular || status.st_size == 0) {
        ::close(handle_);
        refuse(file.string(), regular ? "the file is empty." : "this is not a file.");
    }
    bytes_ = static_cast<std::size_t>(status.st_size);
    void* address = ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, handle_, 0);
    if (address == MAP_FAILED) {
        const int problem = errno;
        ::close(handle_);
        refuse(file.string(), std::string("the file cannot be mapped: ") + std::strerror(problem) + ".");
    }
    data_ = static_cast<const std::byte*>(address);
    guard_.emplace(data_, bytes_);
}

MappedFile::~MappedFile()
{
    guard_.reset(); // before the addresses can be another map's
    ::munmap(const_cast<std::byte*>(data_), bytes_);
    ::close(handle_);
}

void MappedFile::refuse_cut() const
{
    struct stat status { };
    const bool whole = ::fstat(handle_, &status) == 0 && static_cast<std::size_t>(status.st_size) >= bytes_;
    if (!whole || guard_->torn())
        refuse(file_.string(),
            "the file was cut or written anew while it was in use (" + std::to_string(status.st_size) + " of "
                + std::to_string(bytes_) + " bytes are there now), so what was being made from it is thrown away.",
            "Open the model again when the file is complete.");
}

} // namespace keepset
