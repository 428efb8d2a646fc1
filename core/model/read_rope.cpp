#include "core/model/family.h"

#include <array>
#include <cmath>
#include <string_view>

namespace keepset {

namespace {

    using Kind = RopeConfig::Kind;

    struct KindFields {
        const char* name;
        Kind kind;
        std::vector<const char*> fields; ///< besides those of every kind
    };

    const std::vector<KindFields>& kinds()
    {
        static const std::vector<KindFields> all = {
            { "default", Kind::plain, { "original_max_position_embeddings" } },
            { "linear", Kind::linear, { "factor", "original_max_position_embeddings" } },
            { "dynamic", Kind::dynamic, { "factor" } },
            { "llama3", Kind::llama3,
                { "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings" } },
            { "yarn", Kind::yarn,
                { "factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow", "mscale",
                    "mscale_all_dim", "truncate" } },
            { "longrope", Kind::longrope,
                { "factor", "original_max_position_embeddings", "attention_factor", "short_factor", "long_factor" } },
        };
        return all;
    }

    /// The name of a kind, earlier ones as today's. In three dimensions (mrope) positions are those of plain rotation
    /// where there is text alone.
    std::string today(const ConfigReader& rope, const std::string& name)
    {
        if (name == "su" || (name == "yarn" && rope.has("short_factor")))
            return "longrope";
        return name == "mrope" ? "default" : name;
    }

    /// rope_type, or type where there is no rope_type; both must not name two kinds.
    const KindFields& kind_of(const ConfigReader& rope)
    {
        const std::string field = rope.prefix.substr(0, rope.prefix.size() - 1);
        const std::string older = rope.text("type", "default");
        const std::string wanted = today(rope, rope.text("rope_type", older));
        if (rope.has("type") && today(rope, older) != wanted)
            rope.refuse("the field '" + field + "' asks for two kinds of rotary scaling, rope_type '"
                    + rope.text("rope_type", {}) + "' and type '" + older + "'.",
                "transformers follows rope_type. Delete the one that is wrong.");
        std::string known;
        for (const KindFields& kind : kinds()) {
            if (wanted == kind.name)
                return kind;
            known += (known.empty() ? "" : ", ") + std::string(kind.name);
        }
        rope.refuse(
            "the field '" + field + "' asks for rotary scaling '" + wanted + "', which Keepset does not compute.",
            "Known: " + known + ".");
    }

    /// YaRN's temperature as a factor of cos and sin.
    double yarn_attention(const ConfigReader& rope, double factor)
    {
        const auto magnitude = [&](double scale) { return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1; };
        const double mscale = rope.number("mscale", 0);
        const double all_dims = rope.number("mscale_all_dim", 0);
        return mscale != 0 && all_dims != 0 ? magnitude(mscale) / magnitude(all_dims) : magnitude(1);
    }

    void read_yarn(const ConfigReader& rope, RopeConfig& result)
    {
        result.attention_factor = rope.number("attention_factor", yarn_attention(rope, result.factor));
        result.beta_fast = rope.has("beta_fast") ? rope.positive("beta_fast") : 32;
        result.beta_slow = rope.has("beta_slow") ? rope.positive("beta_slow") : 1;
        result.truncate = rope.flag("truncate", true);
    }

    void read_longrope(const ConfigReader& rope, RopeConfig& result)
    {
        for (auto [name, list] :
            { std::pair { "short_factor", &result.short_factor }, std::pair { "long_factor", &result.long_factor } }) {
            if (!rope.has(name))
                rope.refuse("the field '" + rope.prefix + name + "' is missing.");
            *list = rope.numbers(name);
            if (static_cast<std::int64_t>(list->size()) != result.dims / 2)
                rope.refuse("the field '" + rope.prefix + name + "' has " + std::to_string(list->size())
                    + " entries for " + std::to_string(result.dims / 2) + " frequencies.");
        }
        const double stretched
            = result.factor <= 1 ? 1 : std::sqrt(1 + std::log(result.factor) / std::log(result.original_context));
        result.attention_factor = rope.number("attention_factor", stretched);
    }

    std::int64_t rotated_dims(std::int64_t head_dim, double partial)
    {
        return static_cast<std::int64_t>(static_cast<double>(head_dim) * partial);
    }

} // namespace

RopeConfig read_rope_object(const ConfigReader& rope, const DecoderConfig& config, RopeConfig plain,
    const RopeDefaults& defaults, double original_context)
{
    const KindFields& kind = kind_of(rope);
    std::vector<const char*> known = kind.fields;
    known.insert(known.end(), { "rope_type", "type", "rope_theta", "mrope_section", "mrope_interleaved", "finetuned" });
    for (const char* const one : { "factor", "partial_rotary_factor", "attention_factor" }) {
        if (rope.has(one) && rope.number(one) == 1)
            known.push_back(one); // changes nothing in any kind
    }
    if (!defaults.partial_field.empty())
        known.push_back("partial_rotary_factor");
    rope.refuse_other_parts(known);
    RopeConfig result = std::move(plain);
    result.kind = kind.kind;
    result.theta = rope.positive("rope_theta", result.theta);
    if (!defaults.partial_field.empty() && rope.has("partial_rotary_factor"))
        result.dims = rotated_dims(config.head_dim, rope.positive("partial_rotary_factor"));
    if (result.kind == Kind::plain)
        return result;
    const auto context = static_cast<double>(config.max_context);
    if (original_context == 0)
        original_context = rope.positive("original_max_position_embeddings", context);
    result.original_context = result.kind == Kind::dynamic ? context : original_context;
    const bool by_ratio = result.kind == Kind::yarn || result.kind == Kind::longrope;
    result.factor = by_ratio && !rope.has("factor") ? context / result.original_context : rope.positive("factor");
    if (result.kind == Kind::llama3) {
        result.low_freq_factor = rope.positive("low_freq_factor");
        result.high_freq_factor = rope.positive("high_freq_factor");
        if (result.high_freq_factor <= result.low_freq_factor)
            rope.refuse("the field '" + rope.prefix.substr(0, rope.prefix.size() - 1)
                + "' holds impossible numbers: high_freq_factor must exceed low_freq_factor.");
    }
    if (result.kind == Kind::yarn)
        read_yarn(rope, result);
    if (result.kind == Kind::longrope)
        read_longrope(rope, result);
    return result;
}

RopeConfig read_rope(const ConfigReader& reader, const DecoderConfig& config, const RopeDefaults& defaults)
{
    RopeConfig plain;
    plain.theta = reader.positive(defaults.theta_field, defaults.theta);
    const double partial
        = defaults.partial_field.empty() ? 1 : reader.positive(defaults.partial_field, defaults.partial);
    plain.dims = rotated_dims(config.head_dim, partial);
    // transformers 5 writes rope_parameters, older versions rope_theta + rope_scaling; where a file has both, the older
    // one wins there.
    const bool older = reader.has("rope_scaling") && !reader.is_empty("rope_scaling");
    const char* const field = older ? "rope_scaling" : "rope_parameters";
    if (!reader.has(field))
        return plain;
    const double original = reader.has("original_max_position_embeddings")
        ? reader.positive("original_max_position_embeddings")
        : defaults.original_context;
    return read_rope_object(reader.part(field), config, plain, defaults, original);
}

} // namespace keepset
