#include "core/engine.h"
#include "core/model/describe.h"
#include "core/model/safetensors.h"
#include "core/model/weight_reader.h"

#include <algorithm>
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
            cache.replace(gap, 2, "/");
        return cache;
    }

    std::string dtype_name(const std::string& stored)
    {
        if (stored == "F32")
            return "float32";
        if (stored == "BF16")
            return "bfloat16";
        return stored == "F16" ? "float16" : stored;
    }

} // namespace

ModelInfo describe(const fs::path& folder, const DecoderConfig& config, const WeightFiles& weights)
{
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
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nothing here sets variables
        return fs::path(value == nullptr ? "" : value);
    };
    fs::path hub = variable("HF_HUB_CACHE");
    if (hub.empty() && !variable("HF_HOME").empty())
        hub = variable("HF_HOME") / "hub";
    if (hub.empty() && !variable("HOME").empty())
        hub = variable("HOME") / ".cache" / "huggingface" / "hub";
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
