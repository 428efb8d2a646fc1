#include "core/error.h"
#include "core/policy_files.h"
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

    /// The files that the policies of points read, each once, and these policies with "file 1" and so on for them: what
    /// counts is what a file holds, wherever it lies.
    struct FilesOfPoints {
        std::vector<std::string> paths;

        std::string policy(const std::string& spelling)
        {
            try {
                return canonical(with_files(parse_policy(spelling), [&](const std::string& path) {
                    const auto known = std::ranges::find(paths, path);
                    const auto number = known - paths.begin() + 1;
                    if (known == paths.end())
                        paths.push_back(path);
                    return "file " + std::to_string(number);
                }));
            } catch (const Error&) { // of another version
                return spelling;
            }
        }
    };

    std::string hash_of(const Run& run, const std::string& path)
    {
        const auto file = std::ranges::find(run.files, path, &HashedFile::path);
        return file == run.files.end() || file->sha256.empty() ? "unknown" : file->sha256;
    }

    std::string text_of(const Shard& shard) { return std::to_string(shard.number) + "/" + std::to_string(shard.count); }

    std::string sentence(
        const std::string& name, const std::string& first, const std::string& second, const TwoRuns& words)
    {
        return name + " is " + first + ' ' + words.first + " and " + second + ' ' + words.second;
    }

} // namespace

std::vector<Setting> settings_of(const Run& run)
{
    const auto number = [](auto value) { return std::to_string(value); };
    std::vector<Setting> settings {
        { "the model's weights (SHA-256)", run.provenance.model_sha256 },
        { "the tokenizer (SHA-256)", run.provenance.tokenizer_sha256 },
        { "the text (SHA-256)", run.provenance.text_sha256 },
        { "dtype", run.provenance.dtype },
        { "seed", number(run.provenance.seed) },
        { "protocol", name_of(run.protocol) },
        { "context", number(run.context) },
        { "target", number(run.target) },
        { "offset", number(run.offset) },
        { "windows", number(run.windows) },
        { "granularity", name_of(run.granularity) },
        { "importance", name_of(run.importance) },
        { "gqa", name_of(run.gqa) },
        { "positions", name_of(run.positions) },
        { "rounding", name_of(run.rounding) },
        { "layers that evict", number(run.layers_that_evict()) },
        { "the short context", number(run.key_tokens.short_context) },
        { "the gain of key tokens", text_of(run.key_tokens.gain) },
        { "the loss of key tokens", text_of(run.key_tokens.loss) },
        { "pins", run.pins.empty() ? "none" : run.pins },
        { "layers", number(run.layers) },
        { "kv_heads", number(run.kv_heads) },
        { "vocabulary", number(run.vocabulary) },
        { "bos", run.bos ? "yes" : "no" },
        { "the number of points", number(run.points.size()) },
    };
    FilesOfPoints files;
    for (const SweepPoint& point : run.points)
        settings.push_back({ "a point",
            files.policy(point.policy) + " at sparsity " + text_of(point.sparsity) + ", budget "
                + std::to_string(point.budget) });
    for (const std::string& path : files.paths)
        settings.push_back({ "what '" + path + "' holds (SHA-256)", hash_of(run, path) });
    return settings;
}

std::optional<std::string> difference(const Run& in_file, const Run& asked, const TwoRuns& words)
{
    const std::vector<Setting> there = settings_of(in_file);
    const std::vector<Setting> here = settings_of(asked);
    for (std::size_t index = 0; index < std::min(there.size(), here.size()); ++index) {
        const bool known = index > 0 || (!there[0].value.empty() && !here[0].value.empty()); // the weights' hash
        if (known && there[index].value != here[index].value)
            return sentence(there[index].name, there[index].value, here[index].value, words);
    }
    if (words.shards_matter && !(in_file.shard == asked.shard))
        return sentence("the shard", text_of(in_file.shard), text_of(asked.shard), words);
    if (in_file.token_nll.empty() && !asked.token_nll.empty())
        return "it has no losses of tokens, and --per-token asks for them here";
    return std::nullopt;
}

} // namespace keepset::trace
