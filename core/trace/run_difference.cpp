#include "core/run.h"
#include "core/trace/run_file.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace keepset::trace {

namespace {

    std::string text_of(double value)
    {
        std::array<char, 32> digits {};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
        return { digits.data(), end.ptr };
    }

    std::string text_of(const SweepPoint& point)
    {
        return point.policy + " at sparsity " + text_of(point.sparsity) + ", budget " + std::to_string(point.budget);
    }

    std::string text_of(const Shard& shard) { return std::to_string(shard.number) + "/" + std::to_string(shard.count); }

    struct Setting {
        const char* name;
        std::string in_file;
        std::string asked;
    };

    std::vector<Setting> settings(const Run& a, const Run& b)
    {
        const bool known = !a.provenance.model_sha256.empty() && !b.provenance.model_sha256.empty();
        const auto number = [](auto value) { return std::to_string(value); };
        const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
        return {
            { "the model's weights (SHA-256)", a.provenance.model_sha256,
                known ? b.provenance.model_sha256 : a.provenance.model_sha256 },
            { "the tokenizer (SHA-256)", a.provenance.tokenizer_sha256, b.provenance.tokenizer_sha256 },
            { "the text (SHA-256)", a.provenance.text_sha256, b.provenance.text_sha256 },
            { "dtype", a.provenance.dtype, b.provenance.dtype },
            { "seed", number(a.provenance.seed), number(b.provenance.seed) },
            { "protocol", name_of(a.protocol), name_of(b.protocol) },
            { "context", number(a.context), number(b.context) },
            { "target", number(a.target), number(b.target) },
            { "offset", number(a.offset), number(b.offset) },
            { "windows", number(a.windows), number(b.windows) },
            { "granularity", name_of(a.granularity), name_of(b.granularity) },
            { "importance", name_of(a.importance), name_of(b.importance) },
            { "gqa", name_of(a.gqa), name_of(b.gqa) },
            { "positions", name_of(a.positions), name_of(b.positions) },
            { "rounding", name_of(a.rounding), name_of(b.rounding) },
            { "layers", number(a.layers), number(b.layers) },
            { "kv_heads", number(a.kv_heads), number(b.kv_heads) },
            { "vocabulary", number(a.vocabulary), number(b.vocabulary) },
            { "bos", yes(a.bos), yes(b.bos) },
            { "the number of points", number(a.points.size()), number(b.points.size()) },
        };
    }

    std::string sentence(const Setting& setting, const TwoRuns& words)
    {
        return std::string(setting.name) + " is " + setting.in_file + ' ' + words.first + " and " + setting.asked + ' '
            + words.second;
    }

} // namespace

std::optional<std::string> difference(const Run& in_file, const Run& asked, const TwoRuns& words)
{
    for (const Setting& setting : settings(in_file, asked)) {
        if (setting.in_file != setting.asked)
            return sentence(setting, words);
    }
    if (words.shards_matter && !(in_file.shard == asked.shard))
        return sentence({ "the shard", text_of(in_file.shard), text_of(asked.shard) }, words);
    if (in_file.token_nll.empty() && !asked.token_nll.empty())
        return "it has no losses of tokens, and --per-token asks for them here";
    for (std::size_t row = 0; row < asked.points.size(); ++row) {
        const Setting point { "a point", text_of(in_file.points[row]), text_of(asked.points[row]) };
        if (point.in_file != point.asked)
            return sentence(point, words);
    }
    return std::nullopt;
}

} // namespace keepset::trace
