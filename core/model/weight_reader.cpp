#include "core/model/weight_reader.h"

#include "core/error.h"
#include "core/task.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace keepset {

namespace {

    std::string text_of(const std::vector<std::int64_t>& shape)
    {
        std::string text;
        for (const std::int64_t size : shape)
            text += (text.empty() ? "" : "×") + std::to_string(size);
        return "(" + text + ")";
    }

    [[noreturn]] void refuse(const std::string& name, const StoredTensor& stored, const std::string& what)
    {
        throw Error(ErrorKind::input, "'" + stored.file + "': tensor '" + name + "' " + what + ".");
    }

    std::vector<std::string> alternatives(const std::string& names)
    {
        std::vector<std::string> all;
        for (std::size_t begin = 0; begin <= names.size();) {
            const std::size_t end = std::min(names.find('|', begin), names.size());
            all.push_back(names.substr(begin, end - begin));
            begin = end + 1;
        }
        return all;
    }

    /// What stands in front of the embedding's name; the family's usual prefix where that fits or none does.
    std::string prefix_in(const WeightFiles& weights, const WeightNames& names)
    {
        for (const std::string& embedding : alternatives(names.embedding)) {
            const std::string wanted = embedding + ".weight";
            // The last two: of a model with parts for pictures, as it was published and as transformers 5 saves it.
            for (const std::string& usual : { names.prefix, std::string(), "language_model." + names.prefix,
                     std::string("model.language_model.") }) {
                if (weights.tensors.contains(usual + wanted))
                    return usual;
            }
            for (const auto& [name, tensor] : weights.tensors) {
                if (name.ends_with("." + wanted))
                    return name.substr(0, name.size() - wanted.size());
            }
        }
        return names.prefix;
    }

    /// "a.b.c." → "a.b.c.", "a.b.", "a.", "": where a tensor beside the decoder may stand.
    std::vector<std::string> ancestors(std::string prefix)
    {
        std::vector<std::string> all { prefix };
        while (!prefix.empty()) {
            const std::size_t dot = prefix.size() < 2 ? std::string::npos : prefix.rfind('.', prefix.size() - 2);
            prefix.resize(dot == std::string::npos ? 0 : dot + 1);
            all.push_back(prefix);
        }
        return all;
    }

    /// The prefix without its last name: what stands in front of the head, which is outside the model proper.
    std::string around(const std::string& prefix) { return prefix.empty() ? prefix : ancestors(prefix)[1]; }

    /// What wrappers put before every name when a model is saved through them, and who they are.
    constexpr std::array<std::pair<const char*, const char*>, 3> wrappers { { { "_orig_mod.", "torch.compile" },
        { "module.", "DataParallel" }, { "base_model.model.", "PEFT" } } };

    std::string wrapper_note(const std::string& prefix)
    {
        std::string who;
        for (const auto& [begin, name] : wrappers) {
            if (prefix.find(begin) != std::string::npos)
                who += (who.empty() ? "" : ", ") + std::string(name);
        }
        return who.empty() ? std::string()
                           : "The names of the tensors begin with '" + prefix
                + "', as of a model that was saved through "
                  "a wrapper ("
                + who + "); they are read without it.";
    }

    /// The number that follows `begin` in a tensor's name; -1 where none does.
    std::int64_t number_behind(const std::string& name, const std::string& begin)
    {
        std::int64_t number = -1;
        if (name.starts_with(begin))
            std::from_chars(name.data() + begin.size(), name.data() + name.size(), number);
        return number;
    }

} // namespace

std::string layers_prefix(const WeightFiles& weights, const DecoderConfig& config)
{
    const std::string& output = config.names.output;
    return prefix_in(weights, config.names) + output.substr(0, output.find("{}"));
}

std::string filled(const std::string& names, const std::vector<std::int64_t>& numbers)
{
    std::string result;
    for (std::string name : alternatives(names)) {
        for (const std::int64_t number : numbers) {
            if (const std::size_t gap = name.find("{}"); gap != std::string::npos)
                name.replace(gap, 2, std::to_string(number));
        }
        result += (result.empty() ? "" : "|") + name;
    }
    return result;
}

bool is_of_decoder(const std::string& tensor, const WeightFiles& weights, const DecoderConfig& config)
{
    if (!config.is_part)
        return true;
    const std::string prefix = prefix_in(weights, config.names);
    const std::string outside = tensor.substr(tensor.starts_with(around(prefix)) ? around(prefix).size() : 0);
    return tensor.starts_with(prefix)
        || std::ranges::any_of(alternatives(config.names.head),
            [&](const std::string& head) { return tensor.starts_with(head + ".") || outside.starts_with(head + "."); });
}

bool is_buffer(const std::string& tensor)
{
    static constexpr std::array endings = { ".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached",
        ".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias" };
    const std::string whole = "." + tensor; // so that ln_attn.bias is none
    return std::ranges::any_of(endings, [&](const char* ending) { return whole.ends_with(ending); });
}

WeightReader::WeightReader(
    const WeightFiles& weights, const DecoderConfig& config, at::Device device, at::ScalarType dtype, const Task& task)
    : weights_(weights)
    , config_(config)
    , device_(device)
    , dtype_(dtype)
    , task_(task)
    , begin_(std::chrono::steady_clock::now())
    , prefix_(prefix_in(weights, config.names))
{
    for (const auto& [name, tensor] : weights.tensors)
        total_bytes_ += static_cast<std::int64_t>(tensor.bytes);
}

const WeightReader::Entry* WeightReader::find(const std::string& names) const
{
    std::vector<std::string> places = ancestors(prefix_);
    places.push_back(config_.names.prefix);
    for (const std::string& name : alternatives(names)) {
        for (const std::string& place : places) {
            if (const auto found = weights_.tensors.find(place + name); found != weights_.tensors.end())
                return &*found;
        }
    }
    return nullptr;
}

at::Tensor WeightReader::take(const std::string& names, const std::vector<std::int64_t>& shape)
{
    return take_as(names, shape, dtype_);
}

at::Tensor WeightReader::take_as(const std::string& names, const std::vector<std::int64_t>& shape, at::ScalarType dtype)
{
    if (task_.stop.stop_requested())
        throw Cancelled {};
    const Entry* const entry = find(names);
    if (entry == nullptr) {
        const std::string name = alternatives(names).front();
        const std::string head = alternatives(config_.names.head).front() + ".";
        const std::string folder = weights_.files.front().parent_path().string();
        throw Error(ErrorKind::input,
            "'" + folder + "': tensor '" + (name.starts_with(head) ? "" : prefix_) + name
                + "' is missing from the weights.",
            "Does config.json belong to them?");
    }
    const auto& [name, stored] = *entry;
    if (stored.shape != shape)
        refuse(name, stored, "has shape " + text_of(stored.shape) + " where config.json asks for " + text_of(shape));
    at::Tensor tensor = converted(mapped(*entry), dtype);
    in_place_ = in_place_ || tensor.const_data_ptr() == stored.data;
    if (taken_.insert(name).second) {
        parameters_ += tensor.numel();
        done_bytes_ += static_cast<std::int64_t>(stored.bytes);
    }
    report();
    return tensor;
}

at::Tensor WeightReader::converted(const at::Tensor& stored, at::ScalarType dtype) const
{
    constexpr std::int64_t piece = 1 << 24; // elements between two looks at the stop token; the disk may be slow
    const bool as_it_is = stored.scalar_type() == dtype && stored.device() == device_;
    if (as_it_is || stored.numel() <= piece || stored.dim() == 0)
        return stored.to(device_, dtype);
    at::Tensor tensor = at::empty(stored.sizes(), stored.options().device(device_).dtype(dtype));
    const std::int64_t rows = std::max<std::int64_t>(1, piece / (stored.numel() / stored.size(0)));
    for (std::int64_t begin = 0; begin < stored.size(0); begin += rows) {
        if (task_.stop.stop_requested())
            throw Cancelled {};
        tensor.slice(0, begin, begin + rows).copy_(stored.slice(0, begin, begin + rows));
    }
    return tensor;
}

at::Tensor WeightReader::mapped(const Entry& entry) const
{
    const auto& [name, stored] = entry;
    const at::ScalarType type = stored.dtype == "F32" ? at::kFloat
        : stored.dtype == "BF16"                      ? at::kBFloat16
        : stored.dtype == "F16"                       ? at::kHalf
        : stored.dtype == "F64"                       ? at::kDouble
                                                      : at::ScalarType::Undefined;
    if (type == at::ScalarType::Undefined)
        refuse(name, stored, "has dtype '" + stored.dtype + "'; F64, F32, BF16 and F16 are read");
    if (reinterpret_cast<std::uintptr_t>(stored.data) % c10::elementSize(type) != 0) {
        at::Tensor copy = at::empty(stored.shape, type);
        std::memcpy(copy.mutable_data_ptr(), stored.data, stored.bytes);
        return copy;
    }
    // The maps live as long as a tensor looks at them; nothing ever writes to one.
    return at::from_blob(
        const_cast<std::byte*>(stored.data), stored.shape, [maps = weights_.maps](void*) {}, type);
}

bool WeightReader::equal(const std::string& names, const std::string& others) const
{
    const Entry* const a = find(names);
    const Entry* const b = find(others);
    if (a == nullptr || b == nullptr || a->second.dtype != b->second.dtype || a->second.shape != b->second.shape)
        return false;
    constexpr std::size_t piece = std::size_t { 1 } << 25U;
    for (std::size_t begin = 0; begin < a->second.bytes; begin += piece) {
        if (task_.stop.stop_requested())
            throw Cancelled {};
        const std::size_t bytes = std::min(piece, a->second.bytes - begin);
        if (std::memcmp(a->second.data + begin, b->second.data + begin, bytes) != 0)
            return false;
    }
    return true;
}

void WeightReader::skip(const std::string& names)
{
    if (const Entry* const entry = find(names)) {
        taken_.insert(entry->first);
        done_bytes_ += static_cast<std::int64_t>(entry->second.bytes);
    }
}

std::vector<std::string> WeightReader::check_left_over() const
{
    const std::string layers = layers_prefix(weights_, config_);
    std::vector<std::string> notes;
    if (std::string note = wrapper_note(prefix_); !note.empty())
        notes.push_back(std::move(note));
    std::vector<std::string> names;
    for (const auto& [name, stored] : weights_.tensors) {
        if (taken_.contains(name) || is_buffer(name))
            continue;
        if (const std::int64_t layer = number_behind(name, layers); layer >= 0 && layer < config_.layers)
            throw Error(ErrorKind::input,
                "'" + stored.file + "': tensor '" + name + "' is in layer " + std::to_string(layer)
                    + ", but nothing that config.json asks for uses it.",
                "The layer computes something that Keepset does not, so the model is not opened.");
        names.push_back(name);
    }
    if (names.empty())
        return notes;
    std::string shown;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i)
        shown += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > 5)
        shown += " and " + std::to_string(names.size() - 5) + " others";
    notes.push_back("The weight files hold tensors outside the decoder that are not used: " + shown + ".");
    return notes;
}

void WeightReader::report() const
{
    if (!task_.progress)
        return;
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double left = elapsed * static_cast<double>(total_bytes_ - done_bytes_)
        / static_cast<double>(std::max<std::int64_t>(1, done_bytes_));
    task_.progress({ "reading weights", "bytes", done_bytes_, total_bytes_, elapsed, left });
}

} // namespace keepset
