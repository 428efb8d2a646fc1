#include "core/model/containers.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace keepset {

namespace {

    using nlohmann::json;

    /// What transformers takes for the language model of a container where text_config does not say it.
    struct Container {
        const char* model_type;
        const char* text_type;
        bool flat = false; ///< the language model's fields may also stand at the top of the file
    };
    constexpr std::array containers { Container { "gemma3", "gemma3_text" }, Container { "got_ocr2", "qwen2" },
        Container { "granite_speech", "granite" }, Container { "idefics3", "llama" }, Container { "internvl", "qwen2" },
        Container { "llava", "llama" }, Container { "llava_next", "llama" }, Container { "llava_next_video", "llama" },
        Container { "llava_onevision", "qwen2" }, Container { "mistral3", "mistral" },
        Container { "qwen2_5_vl", "qwen2_5_vl_text", true }, Container { "qwen2_audio", "qwen2" },
        Container { "qwen2_vl", "qwen2_vl_text", true }, Container { "qwen3_vl", "qwen3_vl_text" },
        Container { "smolvlm", "llama" }, Container { "video_llava", "llama" }, Container { "vipllava", "llama" },
        Container { "voxtral", "llama" } };

    /// Language models that are a known family by another name, with the defaults that differ. Their rotary positions
    /// in three dimensions are plain ones where there is text alone.
    struct TextType {
        const char* text_type;
        const char* family;
        const char* defaults;
    };
    constexpr const char* qwen2_vl_defaults = R"({"vocab_size": 152064, "hidden_size": 8192, "num_hidden_layers": 80,
        "intermediate_size": 29568, "num_attention_heads": 64, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
        "max_window_layers": 80, "rope_theta": 1e6})";
    constexpr std::array text_types { TextType { "qwen2_5_vl_text", "qwen2", qwen2_vl_defaults },
        TextType { "qwen2_vl_text", "qwen2", qwen2_vl_defaults },
        TextType { "qwen3_vl_text", "qwen3", R"({"max_position_embeddings": 128000, "rope_theta": 5e5})" } };

    /// These read what stands before the answer in both directions, text as well.
    constexpr std::array both_directions = { "paligemma", "colpali" };

    constexpr std::array part_names = { "vision_config", "audio_config", "speech_config", "visual", "encoder_config",
        "projector_config", "perceiver_config", "qformer_config", "vq_config" };

    /// The other parts of the file, as a list of names.
    std::string other_parts(const json& fields)
    {
        std::string names;
        for (const char* const name : part_names) {
            if (fields.contains(name) && fields.at(name).is_object())
                names += (names.empty() ? "" : ", ") + std::string(name);
        }
        return names;
    }

    const Container* container_of(const std::string& model_type)
    {
        const auto found = std::ranges::find_if(
            containers, [&](const Container& container) { return model_type == container.model_type; });
        return found == containers.end() ? nullptr : &*found;
    }

    /// Fields of the language model with the defaults of its own type below them, named as the family that it is.
    json as_family(json fields)
    {
        const std::string text_type = fields.value("model_type", std::string());
        for (const TextType& each : text_types) {
            if (text_type != each.text_type)
                continue;
            json with_defaults = json::parse(each.defaults);
            // Positions said in the new way stand for the old field.
            if (fields.contains("rope_parameters") && fields.at("rope_parameters").is_object()
                && fields.at("rope_parameters").contains("rope_theta"))
                with_defaults.erase("rope_theta");
            with_defaults.update(fields);
            with_defaults["model_type"] = each.family;
            return with_defaults;
        }
        return fields;
    }

    bool is_tied(const json& whole, const json& text)
    {
        for (const json* const fields : { &whole, &text }) {
            if (fields->contains("tie_word_embeddings") && fields->at("tie_word_embeddings").is_boolean())
                return fields->at("tie_word_embeddings").get<bool>();
        }
        return true;
    }

} // namespace

std::optional<LanguagePart> language_part(const ConfigReader& whole)
{
    const std::string model_type = whole.text("model_type", {});
    const Container* const container = container_of(model_type);
    const bool nested = whole.has("text_config");
    if (!nested && container == nullptr)
        return {};
    if (std::ranges::find(both_directions, std::string_view(model_type)) != both_directions.end())
        whole.refuse("the architecture '" + model_type + "' reads its prompt in both directions.",
            "Keepset opens causal language models.");
    if (!nested && !container->flat)
        whole.refuse("the field 'text_config' is missing.");
    const std::string others = other_parts(whole.fields);
    LanguagePart part;
    if (nested) {
        part.fields = whole.part("text_config").fields;
        part.prefix = "text_config.";
    } else {
        part.fields = whole.fields;
        for (const char* const name : part_names)
            part.fields.erase(name);
        part.fields.erase("model_type");
    }
    if (!part.fields.contains("model_type") && container != nullptr)
        part.fields["model_type"] = container->text_type;
    part.fields = as_family(std::move(part.fields));
    part.tied_embeddings = is_tied(whole.fields, part.fields);
    part.note = "The folder holds a language model as a part of '" + model_type + "'; it alone is opened, for text"
        + (others.empty() ? ""
                          : ", without what " + others + " describe" + (others.find(',') == others.npos ? "s" : ""))
        + ".";
    return part;
}

} // namespace keepset
