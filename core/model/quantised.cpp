#include "core/model/quantised.h"

#include "core/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace keepset {

namespace {

    constexpr const char* original = "Open the model that it was made from (its model card names it)";

    /// How weights of a kind become weights that Keepset reads.
    std::string way_out(std::string_view kind)
    {
        const std::string begin = std::string(original) + ", or convert this one: ";
        if (kind == "MLX")
            return begin + "mlx_lm.convert --hf-path FOLDER --mlx-path NEW_FOLDER --dequantize.";
        if (kind == "bitsandbytes")
            return begin + "in Python, AutoModelForCausalLM.from_pretrained(FOLDER).dequantize().save_pretrained(…).";
        if (kind == "FP8")
            return begin
                + "in Python, AutoModelForCausalLM.from_pretrained(FOLDER, quantization_config="
                  "FineGrainedFP8Config(dequantize=True)).save_pretrained(…).";
        if (kind == "compressed-tensors")
            return begin
                + "in Python, AutoModelForCausalLM.from_pretrained(FOLDER, quantization_config="
                  "CompressedTensorsConfig(run_compressed=False)).save_pretrained(…).";
        return std::string(original) + ", or let the library that quantised it write BF16 weights.";
    }

    /// The name of a quantization_config's method as way_out knows it.
    std::string kind_of(std::string method)
    {
        std::ranges::transform(
            method, method.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        if (method == "bitsandbytes" || method == "compressed-tensors")
            return method;
        if (method == "fp8" || method == "fbgemm_fp8")
            return "FP8";
        return method == "gptq" ? "GPTQ" : method == "awq" ? "AWQ" : method;
    }

    struct Mark {
        std::string_view ending; ///< of a tensor's name
        std::string_view kind;
    };

    /// Tensors that stand beside, or in place of, a weight.
    constexpr std::array marks = { Mark { ".qweight", "GPTQ or AWQ" }, Mark { ".qzeros", "GPTQ or AWQ" },
        Mark { ".g_idx", "GPTQ" }, Mark { ".weight_scale_inv", "FP8" }, Mark { ".weight_packed", "compressed-tensors" },
        Mark { ".weight_scale", "compressed-tensors" }, Mark { ".weight_zero_point", "compressed-tensors" },
        Mark { ".weight_scale_2", "NVFP4" }, Mark { ".input_scale", "FP8" }, Mark { ".SCB", "bitsandbytes" },
        Mark { ".weight.absmax", "bitsandbytes" }, Mark { ".weight.quant_map", "bitsandbytes" },
        Mark { ".scales", "MLX" } };

    std::string_view kind_of(const std::string& name, const StoredTensor& tensor)
    {
        for (const Mark& mark : marks) {
            if (name.ends_with(mark.ending))
                return mark.kind;
        }
        if (name.find(".weight.quant_state.") != std::string::npos)
            return "bitsandbytes";
        const std::string& dtype = tensor.dtype;
        if (!name.ends_with(".weight"))
            return {};
        if (dtype.starts_with("F8_"))
            return "FP8";
        if (dtype.starts_with("F4") || dtype.starts_with("F6_"))
            return dtype.starts_with("F4") ? "FP4" : "FP6";
        if (dtype == "U32")
            return "MLX";
        return dtype == "U8" || dtype == "I8" ? "bitsandbytes" : std::string_view {};
    }

    bool is_of_adapter(const std::string& name)
    {
        return name.find(".lora_A.") != std::string::npos || name.find(".lora_B.") != std::string::npos
            || name.find(".base_layer.") != std::string::npos;
    }

} // namespace

void refuse_quantised(const nlohmann::json& fields, const std::string& file)
{
    for (const char* const name : { "quantization_config", "compression_config", "quant_config", "quantization" }) {
        if (!fields.contains(name) || !fields.at(name).is_object() || fields.at(name).empty())
            continue;
        const nlohmann::json& how = fields.at(name);
        const auto text = [&](const char* field) {
            const nlohmann::json value = how.value(field, nlohmann::json());
            return value.is_string() ? value.get<std::string>() : value.is_number_integer() ? value.dump() : "";
        };
        const bool mlx = text("quant_method").empty() && how.contains("group_size");
        const std::string kind = mlx ? "MLX" : kind_of(text("quant_method"));
        const std::string bits = !text("bits").empty()            ? text("bits")
            : how.value("load_in_4bit", nlohmann::json()) == true ? "4"
            : how.value("load_in_8bit", nlohmann::json()) == true ? "8"
                                                                  : "";
        throw Error(ErrorKind::input,
            "'" + file + "': the weights are quantised (" + std::string(name) + ": "
                + (kind.empty() ? "method not named" : kind) + (bits.empty() ? "" : ", " + bits + " bits")
                + "), and Keepset computes with the weights as they were trained.",
            way_out(kind));
    }
}

void refuse_quantised(const WeightFiles& weights, const std::string& layers)
{
    const StoredTensor* found = nullptr;
    const std::string* found_name = nullptr;
    std::string_view found_kind;
    for (const auto& [name, tensor] : weights.tensors) {
        if (!name.starts_with(layers))
            continue;
        if (is_of_adapter(name))
            throw Error(ErrorKind::input,
                "'" + tensor.file + "': tensor '" + name + "' is of an adapter that was not merged into the weights.",
                "Merge it first (with peft: merge_and_unload), and open the merged folder.");
        const std::string_view kind = kind_of(name, tensor);
        // Scales alone are MLX's where nothing of GPTQ or AWQ stands beside them.
        if (kind.empty() || (found != nullptr && found_kind != "MLX"))
            continue;
        found = &tensor;
        found_name = &name;
        found_kind = kind;
    }
    if (found == nullptr)
        return;
    throw Error(ErrorKind::input,
        "'" + found->file + "': tensor '" + *found_name + "' (" + found->dtype + ") is of quantised weights ("
            + std::string(found_kind)
            + "), though config.json does not say so; Keepset computes with the weights as they "
              "were trained.",
        way_out(found_kind));
}

} // namespace keepset
