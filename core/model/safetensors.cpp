#include "core/model/safetensors.h"

#include "core/error.h"
#include "core/model/json_file.h"

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
#include <system_error>

namespace keepset {

namespace {

    using nlohmann::json;

    [[noreturn]] void refuse(const std::string& file, const std::string& what, const std::string& hint = {})
    {
        throw Error(ErrorKind::input, "'" + file + "': " + what, hint);
    }

    /// 0 for a dtype that is not known.
    std::size_t element_bytes(const std::string& dtype)
    {
        if (dtype == "F64" || dtype == "I64" || dtype == "U64")
            return 8;
        if (dtype == "F32" || dtype == "I32" || dtype == "U32")
            return 4;
        if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16")
            return 2;
        if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2")
            return 1;
        return 0;
    }

    /// dtype × shape in bytes; throws where a size is negative or the product does not fit.
    std::size_t expected_bytes(const StoredTensor& tensor, const std::string& name)
    {
        std::size_t total = element_bytes(tensor.dtype);
        if (total == 0)
            refuse(tensor.file, "tensor '" + name + "' has the unknown dtype '" + tensor.dtype + "'.");
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
        if (const std::size_t expected = expected_bytes(tensor, name); expected != tensor.bytes)
            refuse(file,
                "tensor '" + name + "' has " + std::to_string(tensor.bytes) + " bytes where its shape and dtype need "
                    + std::to_string(expected) + ".");
        return tensor;
    }

    void refuse_overlaps(const std::map<std::string, StoredTensor>& tensors, const std::string& file)
    {
        std::vector<std::pair<const StoredTensor*, const std::string*>> order;
        for (const auto& [name, tensor] : tensors) {
            if (tensor.bytes != 0)
                order.emplace_back(&tensor, &name);
        }
        std::ranges::sort(order, {}, [](const auto& item) { return item.first->data; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            if (order[i - 1].first->data + order[i - 1].first->bytes > order[i].first->data)
                refuse(file, "tensors '" + *order[i - 1].second + "' and '" + *order[i].second + "' overlap.");
        }
    }

    std::map<std::string, StoredTensor> read_header(const MappedFile& map, const std::string& file)
    {
        std::uint64_t header_bytes = 0;
        if (map.bytes() < sizeof header_bytes)
            refuse(file, "the file is too short to be a safetensors file (" + std::to_string(map.bytes()) + " bytes).");
        std::memcpy(&header_bytes, map.data(), sizeof header_bytes);
        // 100 MB is the format's own limit for a header.
        if (header_bytes > 100'000'000 || header_bytes > map.bytes() - sizeof header_bytes)
            refuse(file,
                "the header claims " + std::to_string(header_bytes) + " bytes in a file of "
                    + std::to_string(map.bytes()) + ".",
                "Is it a safetensors file, and is the download complete?");
        const auto* text = reinterpret_cast<const char*>(map.data()) + sizeof header_bytes;
        const json header = json::parse(text, text + header_bytes, nullptr, false);
        if (!header.is_object())
            refuse(file, "the safetensors header is not valid JSON.", "Is the download complete?");
        const std::size_t begin = sizeof header_bytes + header_bytes;
        std::map<std::string, StoredTensor> tensors;
        for (const auto& [name, entry] : header.items()) {
            if (name != "__metadata__")
                tensors.emplace(name, read_entry(name, entry, file, { map.data() + begin, map.bytes() - begin }));
        }
        refuse_overlaps(tensors, file);
        return tensors;
    }

    /// File names of the shards, sorted, each once.
    std::set<std::string> shard_names(const std::filesystem::path& index)
    {
        const json content = read_json(index);
        if (!content.contains("weight_map") || !content.at("weight_map").is_object()
            || content.at("weight_map").empty())
            refuse(index.string(), "the field 'weight_map' is missing or empty.");
        std::set<std::string> names;
        for (const auto& [tensor, file] : content.at("weight_map").items()) {
            if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos)
                refuse(index.string(), "tensor '" + tensor + "' is not mapped to a file of this folder.");
            names.insert(file.get<std::string>());
        }
        return names;
    }

    void add_file(WeightFiles& weights, const std::filesystem::path& file)
    {
        auto map = std::make_shared<MappedFile>(file);
        for (auto& [name, tensor] : read_header(*map, file.string())) {
            if (!weights.tensors.emplace(name, tensor).second)
                refuse(file.string(), "tensor '" + name + "' stands in another shard too.");
        }
        weights.bytes += static_cast<std::int64_t>(map->bytes());
        weights.maps.push_back(std::move(map));
        weights.files.push_back(file);
    }

    [[noreturn]] void refuse_missing_weights(const std::filesystem::path& folder)
    {
        std::error_code ignored;
        if (std::filesystem::exists(folder / "pytorch_model.bin", ignored)
            || std::filesystem::exists(folder / "pytorch_model.bin.index.json", ignored))
            throw Error(ErrorKind::input,
                "'" + folder.string()
                    + "' has only pickled weights (pytorch_model.bin), which can run code when they are read.",
                "Convert them: python3 -c \"from transformers import AutoModelForCausalLM as M; M.from_pretrained('"
                    + folder.string() + "').save_pretrained('" + folder.string() + "')\"");
        throw Error(ErrorKind::input,
            "'" + folder.string() + "' has no model.safetensors and no model.safetensors.index.json.",
            "Weights must be in the safetensors format.");
    }

} // namespace

MappedFile::MappedFile(const std::filesystem::path& file)
{
    const int handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle < 0)
        refuse(file.string(), std::string("the file cannot be opened: ") + std::strerror(errno) + ".");
    struct stat status { };
    const bool regular = ::fstat(handle, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular || status.st_size == 0) {
        ::close(handle);
        refuse(file.string(), regular ? "the file is empty." : "this is not a file.");
    }
    bytes_ = static_cast<std::size_t>(status.st_size);
    void* address = ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, handle, 0);
    ::close(handle);
    if (address == MAP_FAILED)
        refuse(file.string(), std::string("the file cannot be mapped: ") + std::strerror(errno) + ".");
    data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(data_), bytes_); }

WeightFiles open_weights(const std::filesystem::path& folder)
{
    WeightFiles weights;
    std::error_code ignored;
    if (std::filesystem::exists(folder / "model.safetensors", ignored)) {
        add_file(weights, folder / "model.safetensors");
    } else if (std::filesystem::exists(folder / "model.safetensors.index.json", ignored)) {
        for (const std::string& name : shard_names(folder / "model.safetensors.index.json"))
            add_file(weights, folder / name);
    } else {
        refuse_missing_weights(folder);
    }
    return weights;
}

} // namespace keepset
