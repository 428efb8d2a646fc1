#include "core/model/describe.h"
#include "core/model/quantised.h"
#include "core/model/safetensors.h"
#include "core/model/weight_reader.h"
#include "core/model_info.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <system_error>

namespace keepset {

namespace {

    namespace fs = std::filesystem;

    fs::path folder_name(const fs::path& folder)
    {
        const fs::path clean = fs::absolute(folder).lexically_normal();
        return clean.has_filename() ? clean.filename() : clean.parent_path().filename();
    }

    /// "models--org--name/snapshots/<commit>" → "org/name"; any other folder by its own name.
    std::string model_name(const fs::path& folder)
    {
        const fs::path clean = fs::absolute(folder).lexically_normal();
        const fs::path snapshot = clean.has_filename() ? clean : clean.parent_path();
        std::string cache = snapshot.parent_path().parent_path().filename().string();
        if (snapshot.parent_path().filename() != "snapshots" || !cache.starts_with("models--"))
            return folder_name(folder).string();
        cache = cache.substr(8);
        if (const std::size_t gap = cache.find("--"); gap != std::string::npos)
            cache = cache.substr(0, gap).append(1, '/').append(cache, gap + 2);
        return cache;
    }

    std::string dtype_name(const std::string& stored)
    {
        if (stored == "F32")
            return "float32";
        if (stored == "BF16")
            return "bfloat16";
        if (stored == "F64")
            return "float64";
        return stored == "F16" ? "float16" : stored;
    }

    std::string variable(const char* name)
    {
        const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nothing here sets variables
        return value == nullptr ? "" : value;
    }

    /// "~/a/$B" as huggingface_hub reads it: the user's home, and variables that are set.
    fs::path expanded(std::string path)
    {
        if (path == "~" || path.starts_with("~/"))
            path.replace(0, 1, variable("HOME"));
        for (std::size_t at = path.find('$'); at != std::string::npos; at = path.find('$', at + 1)) {
            const bool braces = path.compare(at + 1, 1, "{") == 0;
            const std::size_t begin = at + (braces ? 2 : 1);
            std::size_t end = begin;
            while (end < path.size() && (std::isalnum(static_cast<unsigned char>(path[end])) != 0 || path[end] == '_'))
                ++end;
            const std::string value = variable(path.substr(begin, end - begin).c_str());
            if (end > begin && !value.empty() && (!braces || path.compare(end, 1, "}") == 0))
                path.replace(at, end + (braces ? 1 : 0) - at, value);
        }
        return path;
    }

    /// Where huggingface_hub keeps models: HF_HUB_CACHE, its older name HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
    /// XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub; the first that is set. Empty: there is no home.
    fs::path hub_folder()
    {
        for (const char* const name : { "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE" }) {
            if (const std::string value = variable(name); !value.empty())
                return expanded(value);
        }
        if (const std::string home = variable("HF_HOME"); !home.empty())
            return expanded(home) / "hub";
        if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
            return expanded(cache) / "huggingface" / "hub";
        const fs::path home = variable("HOME");
        return home.empty() ? home : home / ".cache" / "huggingface" / "hub";
    }

} // namespace

ModelInfo describe(const fs::path& folder, const DecoderConfig& config, const WeightFiles& weights)
{
    refuse_quantised(weights, layers_prefix(weights, config));
    ModelInfo info;
    info.path = folder.string();
    info.name = model_name(folder);
    info.architecture = config.architecture;
    info.model_type = config.model_type;
    info.layers = config.layers;
    info.heads = config.heads;
    info.kv_heads = config.kv_heads;
    info.head_dim = config.head_dim;
    info.hidden_size = config.hidden_size;
    info.intermediate_size = config.intermediate_size;
    info.vocabulary = config.vocabulary;
    info.max_context = config.max_context;
    info.endless = config.endless;
    info.tied_embeddings = config.tied_embeddings;
    info.positions = config.positions == PositionKind::rotary ? "rotary"
        : config.positions == PositionKind::learned           ? "learned"
                                                              : "alibi";
    info.experts = config.experts;
    info.experts_per_token = config.experts_per_token;
    for (const LayerConfig& layer : config.per_layer) {
        info.window = std::max(info.window, layer.window);
        info.sliding_layers += layer.window > 0 ? 1 : 0;
    }
    info.bytes = weights.bytes;
    info.notes = config.notes;
    std::set<std::string> dtypes;
    for (const auto& [name, tensor] : weights.tensors) {
        std::int64_t elements = 1;
        for (const std::int64_t size : tensor.shape)
            elements *= size;
        if (is_buffer(name) || !is_of_decoder(name, weights, config)
            || (config.tied_embeddings && name.ends_with("lm_head.weight")))
            continue;
        info.parameters += elements;
        dtypes.insert(dtype_name(tensor.dtype));
    }
    for (const std::string& name : dtypes)
        info.checkpoint_dtype += (info.checkpoint_dtype.empty() ? "" : ", ") + name;
    return info;
}

std::vector<fs::path> cached_models()
{
    const fs::path hub = hub_folder();
    std::vector<fs::path> found;
    std::error_code ignored;
    for (const fs::directory_entry& model : fs::directory_iterator(hub, ignored)) {
        if (!model.path().filename().string().starts_with("models--"))
            continue;
        for (const fs::directory_entry& snapshot : fs::directory_iterator(model.path() / "snapshots", ignored)) {
            const bool has_weights = fs::exists(snapshot.path() / "model.safetensors", ignored)
                || fs::exists(snapshot.path() / "model.safetensors.index.json", ignored);
            if (has_weights && fs::exists(snapshot.path() / "config.json", ignored)
                && fs::exists(snapshot.path() / "tokenizer.json", ignored))
                found.push_back(snapshot.path());
        }
    }
    std::ranges::sort(found);
    return found;
}

} // namespace keepset
