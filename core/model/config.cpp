#include "core/model/config.h"

#include "core/error.h"
#include "core/model/config_fields.h"
#include "core/model/containers.h"
#include "core/model/family.h"
#include "core/model/json_file.h"
#include "core/model/quantised.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <system_error>

namespace keepset {

namespace {

    void check_sizes(const DecoderConfig& config, const ConfigReader& reader)
    {
        if (config.heads % config.kv_heads != 0)
            reader.refuse("num_attention_heads (" + std::to_string(config.heads)
                + ") is not a multiple of num_key_value_heads (" + std::to_string(config.kv_heads) + ").");
        if (config.experts_per_token > config.experts)
            reader.refuse("num_experts_per_tok (" + std::to_string(config.experts_per_token)
                + ") exceeds the number of experts (" + std::to_string(config.experts) + ").");
        // Tables of rotary positions are made by head_dim; queries and keys are sides of tensors.
        if (config.heads * config.head_dim > reader.limit.most)
            reader.refuse(std::to_string(config.heads) + " attention heads with a head_dim of "
                    + std::to_string(config.head_dim) + " are more than any tensor of the weight files could hold.",
                "Does config.json belong to them?");
        for (const RopeConfig& rope : config.ropes) {
            const std::int64_t fewest = rope.kind == RopeConfig::Kind::dynamic ? 4 : 2;
            if (rope.dims % 2 != 0 || rope.dims < fewest || rope.dims > config.head_dim)
                reader.refuse("of head_dim " + std::to_string(config.head_dim) + ", " + std::to_string(rope.dims)
                    + " are to be rotated, and rotary positions need pairs.");
        }
    }

    /// `endings`: of names of architectures that end in the probabilities of the next token.
    std::string architecture_of(
        const ConfigReader& reader, const Family& family, std::initializer_list<const char*> endings)
    {
        if (!reader.has("architectures"))
            return family.architecture;
        const std::vector<std::string> names = reader.texts("architectures");
        if (names.empty())
            reader.refuse_value("architectures", "a list of names");
        if (std::ranges::none_of(endings, [&](const char* ending) { return names.front().ends_with(ending); }))
            reader.refuse("the architecture '" + names.front() + "' is not a causal language model.");
        return names.front();
    }

    const Family& family_of(const ConfigReader& reader)
    {
        const std::string model_type = reader.text("model_type", "(none)");
        std::string known;
        for (const Family* const family : families()) {
            if (model_type == family->model_type)
                return *family;
            known += (known.empty() ? "" : ", ") + std::string(family->model_type);
        }
        reader.refuse(reader.prefix.empty()
                ? "the architecture '" + model_type + "' is not known."
                : "its language model ('" + reader.prefix + "model_type') is '" + model_type + "', which is not known.",
            "Known: " + known + ".");
    }

    DecoderConfig read_family(const ConfigReader& reader, const Family& family)
    {
        DecoderConfig config = family.read(reader);
        config.model_type = family.model_type;
        refuse_other_fields(reader, config, family.fields);
        config.endless = std::ranges::any_of(
            config.ropes, [](const RopeConfig& rope) { return rope.kind == RopeConfig::Kind::dynamic; });
        check_sizes(config, reader);
        return config;
    }

} // namespace

std::vector<std::int64_t> windows_of(const DecoderConfig& config)
{
    std::vector<std::int64_t> windows;
    windows.reserve(config.per_layer.size());
    for (const LayerConfig& layer : config.per_layer)
        windows.push_back(layer.window);
    if (std::ranges::all_of(windows, [](std::int64_t window) { return window == 0; }))
        windows.clear();
    return windows;
}

DecoderConfig read_config(const std::filesystem::path& folder)
{
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
        throw Error(ErrorKind::input, "'" + folder.string() + "' is not a model folder.",
            "Give the folder that holds config.json, tokenizer.json and model.safetensors.");
    const nlohmann::json fields = read_json(folder / "config.json");
    const ConfigReader reader { fields, (folder / "config.json").string(), {}, limit_of(folder) };
    std::optional<LanguagePart> part = language_part(reader);
    if (!part) {
        const Family& family = family_of(reader);
        refuse_quantised(fields, reader.file);
        DecoderConfig config = read_family(reader, family);
        config.architecture = architecture_of(reader, family, { "ForCausalLM", "LMHeadModel" });
        return config;
    }
    const ConfigReader language { part->fields, reader.file, part->prefix, reader.limit };
    const Family& family = family_of(language);
    refuse_quantised(fields, reader.file);
    refuse_quantised(part->fields, reader.file);
    refuse_fields_beside(reader);
    DecoderConfig config = read_family(language, family);
    config.architecture = architecture_of(reader, family, { "ForCausalLM", "ForConditionalGeneration" });
    config.tied_embeddings = part->tied_embeddings;
    config.is_part = true;
    config.notes.push_back(part->note);
    return config;
}

} // namespace keepset
