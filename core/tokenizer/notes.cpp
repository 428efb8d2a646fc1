#include "core/tokenizer/notes.h"

#include "core/error.h"
#include "core/model/json_file.h"
#include "core/model/model_folder.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

namespace keepset {

namespace {

    /// The tokenizer classes that in transformers 4 put a BOS in front unless they are told not to.
    constexpr std::array puts_bos = { "LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer" };

    struct Wish {
        std::optional<bool> bos;
        std::string from; ///< where it stands
    };

    Wish wish_in(const nlohmann::json& config)
    {
        const auto asked = config.find("add_bos_token");
        if (asked != config.end() && asked->is_boolean())
            return { asked->get<bool>(), asked->get<bool>() ? "add_bos_token true" : "add_bos_token false" };
        const auto named = config.find("tokenizer_class");
        if (named == config.end() || !named->is_string())
            return {};
        const auto name = named->get<std::string>();
        const std::string slow = name.ends_with("Fast") ? name.substr(0, name.size() - 4) : name;
        if (std::ranges::find(puts_bos, slow) == puts_bos.end())
            return {};
        return { true, "tokenizer_class " + name };
    }

} // namespace

std::string bos_note(const std::filesystem::path& folder, bool has_bos)
{
    const std::filesystem::path file = folder / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return {};
    Wish wish;
    try {
        wish = wish_in(read_json(file));
    } catch (const Error& error) {
        return "Whether the tokenizer is meant to put a BOS in front was looked up in tokenizer.json alone: "
            + std::string(error.what());
    }
    if (!wish.bos || *wish.bos == has_bos)
        return {};
    if (has_bos)
        return "tokenizer_config.json asks for no BOS token in front (" + wish.from
            + "), but the post_processor of tokenizer.json puts one: tokenizer.json is followed, as by transformers 5";
    return "tokenizer_config.json asks for a BOS token in front (" + wish.from
        + "), but the post_processor of tokenizer.json puts none: tokenizer.json is followed, as by transformers 5, so "
          "texts and windows begin without one. transformers 4 may put one, and a model trained with it loses much "
          "without. To have it, write it into tokenizer.json: "
          "python3 -c \"import sys; from transformers import AutoTokenizer as T; p = sys.argv[1]; "
          "t = T.from_pretrained(p); t.add_bos_token = True; t.save_pretrained(p)\" "
        + shell_quoted(folder.string());
}

std::vector<std::string> format_notes(std::string_view utf8)
{
    std::vector<std::string> notes;
    if (utf8.starts_with("\xEF\xBB\xBF"))
        notes.emplace_back(
            "The text begins with a byte-order mark (U+FEFF), which is tokenised like any character; Python's "
            "encoding 'utf-8-sig' leaves it out.");
    std::size_t ends = 0;
    for (std::size_t at = utf8.find("\r\n"); at != std::string_view::npos; at = utf8.find("\r\n", at + 2))
        ++ends;
    if (ends > 0)
        notes.push_back("The text has " + std::to_string(ends) + (ends == 1 ? " line end" : " line ends")
            + " of Windows (\\r\\n), which are tokenised as they stand; Python's open() in text mode makes \\n of "
              "them, so "
              "numbers that were published for this text may be another's.");
    return notes;
}

std::string_view cut_utf8(std::string_view utf8, std::size_t most)
{
    if (utf8.size() <= most)
        return utf8;
    while (most > 0 && (static_cast<unsigned char>(utf8[most]) & 0xC0U) == 0x80)
        --most;
    return utf8.substr(0, most);
}

} // namespace keepset
