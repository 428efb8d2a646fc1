#include "core/tokenizer/tokenizer_file.h"

#include "core/tokenizer/json_place.h"

#include <algorithm>
#include <fstream>

namespace keepset {

namespace {

    constexpr int deepest_sequence = 16;

    void read_normalizer(const JsonPlace& place, std::vector<NormalForm>& forms, int depth = 0)
    {
        const std::string type = place.type();
        if (type == "NFC")
            forms.push_back(NormalForm::nfc);
        else if (type == "NFD")
            forms.push_back(NormalForm::nfd);
        else if (type == "NFKC")
            forms.push_back(NormalForm::nfkc);
        else if (type == "NFKD")
            forms.push_back(NormalForm::nfkd);
        else if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["normalizers"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read_normalizer(list[i], forms, depth + 1);
        } else
            place.refuse_value("null, NFC, NFD, NFKC, NFKD, Sequence");
    }

    SplitBehavior read_behavior(const JsonPlace& place)
    {
        const std::string name = place.string();
        if (name == "Isolated")
            return SplitBehavior::isolated;
        if (name == "Removed")
            return SplitBehavior::removed;
        if (name == "MergedWithPrevious")
            return SplitBehavior::merged_with_previous;
        if (name == "MergedWithNext")
            return SplitBehavior::merged_with_next;
        if (name == "Contiguous")
            return SplitBehavior::contiguous;
        place.refuse_value("Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous");
    }

    SplitStep read_split(const JsonPlace& place)
    {
        SplitStep step;
        const JsonPlace pattern = place["pattern"];
        const bool literal = !pattern.absent("String");
        step.kind = literal ? SplitStep::Kind::literal : SplitStep::Kind::regex;
        step.pattern = pattern[literal ? "String" : "Regex"].string();
        if (step.pattern.empty())
            pattern.refuse("is empty.");
        step.behavior = read_behavior(place["behavior"]);
        step.invert = place.boolean("invert", false);
        return step;
    }

    SplitStep read_digits(const JsonPlace& place)
    {
        SplitStep step;
        step.kind = SplitStep::Kind::digits;
        step.behavior = place.boolean("individual_digits", false) ? SplitBehavior::isolated : SplitBehavior::contiguous;
        return step;
    }

    SplitStep read_byte_level(const JsonPlace& place)
    {
        SplitStep step;
        if (place.boolean("use_regex", true)) {
            step.kind = SplitStep::Kind::regex;
            step.pattern = byte_level_pattern;
        }
        step.prefix_space = place.boolean("add_prefix_space", true);
        return step;
    }

    void read_pre_tokenizer(const JsonPlace& place, std::vector<SplitStep>& steps, bool& byte_level, int depth = 0)
    {
        if (byte_level)
            place.refuse("comes after ByteLevel, where Keepset reads none.", "ByteLevel must be the last.");
        const std::string type = place.type();
        if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["pretokenizers"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read_pre_tokenizer(list[i], steps, byte_level, depth + 1);
        } else if (type == "ByteLevel") {
            steps.push_back(read_byte_level(place));
            byte_level = true;
        } else if (type == "Split") {
            steps.push_back(read_split(place));
        } else if (type == "Digits") {
            steps.push_back(read_digits(place));
        } else {
            place.refuse_value("ByteLevel, Split, Digits, Sequence");
        }
    }

    /// Both spellings of a merge: "a b" and ["a", "b"].
    std::pair<std::string, std::string> read_merge(const JsonPlace& place)
    {
        if (place.value().is_string()) {
            const std::string text = place.string();
            const std::size_t space = text.find(' ');
            if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
                place.refuse("is '" + text + "', which is not two tokens with a space between.");
            return { text.substr(0, space), text.substr(space + 1) };
        }
        if (place.size() != 2)
            place.refuse("has " + std::to_string(place.size()) + " tokens instead of two.");
        return { place[std::size_t { 0 }].string(), place[1].string() };
    }

    void read_merges(const JsonPlace& merges, BpeFile& bpe)
    {
        const std::size_t count = merges.size();
        for (std::size_t i = 0; i < count; ++i) {
            const nlohmann::json& value = merges.value()[i];
            if (value.is_string() && value.get_ref<const std::string&>().starts_with("#version"))
                continue;
            const JsonPlace place = merges[i];
            const auto [left, right] = read_merge(place);
            const auto id_of = [&](const std::string& token) {
                const auto found = bpe.vocabulary.find(token);
                if (found == bpe.vocabulary.end())
                    place.refuse("names the token '" + token + "', which is not in model.vocab.");
                return found->second;
            };
            bpe.merges.emplace_back(id_of(left), id_of(right));
            bpe.merged.push_back(id_of(left + right));
        }
    }

    /// Settings of BPE that change ids and that Keepset does not do are refused, unless they are switched off.
    void refuse_other_models(const JsonPlace& model)
    {
        if (!model.absent("type") && model["type"].string() != "BPE")
            model["type"].refuse_value("BPE (byte-level)");
        if (!model.absent("dropout") && model["dropout"].value() != 0)
            model["dropout"].refuse_value("null");
        for (const char* affix : { "continuing_subword_prefix", "end_of_word_suffix" }) {
            if (!model.absent(affix) && !model[affix].string().empty())
                model[affix].refuse_value("null");
        }
        if (model.boolean("byte_fallback", false))
            model["byte_fallback"].refuse_value("false");
    }

    BpeFile read_model(const JsonPlace& model)
    {
        refuse_other_models(model);
        BpeFile bpe;
        const JsonPlace vocabulary = model["vocab"];
        if (!vocabulary.value().is_object())
            vocabulary.refuse_value("an object of tokens and ids");
        bpe.vocabulary.reserve(vocabulary.value().size());
        for (const auto& [token, id] : vocabulary.value().items())
            bpe.vocabulary.emplace(token,
                id.is_number_unsigned() && id < (1 << 24) ? id.get<std::int32_t>() : vocabulary[token.c_str()].id());
        read_merges(model["merges"], bpe);
        bpe.ignore_merges = model.boolean("ignore_merges", false);
        bpe.fuse_unknown = model.boolean("fuse_unk", false);
        if (!model.absent("unk_token")) {
            const auto unknown = bpe.vocabulary.find(model["unk_token"].string());
            if (unknown == bpe.vocabulary.end())
                model["unk_token"].refuse("is not in model.vocab.");
            bpe.unknown = unknown->second;
        }
        return bpe;
    }

    AddedToken read_added_token(const JsonPlace& place)
    {
        AddedToken token;
        token.id = place["id"].id();
        token.content = place["content"].string();
        token.single_word = place.boolean("single_word", false);
        token.lstrip = place.boolean("lstrip", false);
        token.rstrip = place.boolean("rstrip", false);
        token.special = place.boolean("special", false);
        token.normalized = place.boolean("normalized", !token.special);
        return token;
    }

    /// The library gives an added token the id its content has in the vocabulary, or else the next free one, whatever
    /// the file says. Where the two differ nobody can tell which embedding is meant.
    void read_added_tokens(const JsonPlace& list, TokenizerFile& file)
    {
        std::int32_t next = static_cast<std::int32_t>(file.model.vocabulary.size());
        std::vector<AddedToken> others;
        std::unordered_map<std::string, AddedToken> known;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const AddedToken token = read_added_token(list[i]);
            if (token.content.empty())
                continue;
            const auto [same, is_new] = known.emplace(token.content, token);
            if (!is_new && same->second != token)
                list[i].refuse("gives the token '" + token.content + "' a second time, otherwise than before.");
            if (!is_new)
                continue;
            const auto word = file.model.vocabulary.find(token.content);
            const std::int32_t expected = word == file.model.vocabulary.end() ? next : word->second;
            if (token.id != expected)
                list[i].refuse("gives '" + token.content + "' the id " + std::to_string(token.id) + ", but "
                    + (word == file.model.vocabulary.end() ? "the next free id is " : "model.vocab says ")
                    + std::to_string(expected) + ".");
            if (word == file.model.vocabulary.end())
                ++next;
            (token.special ? file.added_tokens : others).push_back(token);
        }
        file.added_tokens.insert(file.added_tokens.end(), others.begin(), others.end());
    }

    /// Ids that a template puts before the text. What it puts behind is left out on purpose: a text that is scored ends
    /// where the user's text ends.
    std::vector<std::int32_t> read_template(const JsonPlace& place)
    {
        std::vector<std::int32_t> front;
        const JsonPlace single = place["single"];
        for (std::size_t i = 0; i < single.size(); ++i) {
            if (single[i].absent("SpecialToken"))
                return front;
            const std::string name = single[i]["SpecialToken"]["id"].string();
            const JsonPlace ids = place["special_tokens"][name.c_str()]["ids"];
            for (std::size_t k = 0; k < ids.size(); ++k)
                front.push_back(ids[k].id());
        }
        single.refuse("has no Sequence, so that the text would be left out.");
    }

    void read_post_processor(const JsonPlace& place, std::optional<std::int32_t>& bos, int depth = 0)
    {
        const std::string type = place.type();
        if (type == "ByteLevel")
            return; // It trims offsets only.
        if (type == "Sequence" && depth < deepest_sequence) {
            const JsonPlace list = place["processors"];
            for (std::size_t i = 0; i < list.size(); ++i)
                read_post_processor(list[i], bos, depth + 1);
        } else if (type == "TemplateProcessing") {
            const std::vector<std::int32_t> front = read_template(place);
            if (front.size() + (bos ? 1 : 0) > 1)
                place.refuse("puts more than one token before the text, which Keepset does not do.");
            if (!front.empty())
                bos = front.front();
        } else {
            place.refuse_value("null, ByteLevel, TemplateProcessing, Sequence");
        }
    }

    nlohmann::json parse(const std::filesystem::path& path)
    {
        if (std::filesystem::is_directory(path))
            throw Error(ErrorKind::input, path.string() + " is a directory.", "Name a tokenizer.json.");
        std::ifstream stream(path, std::ios::binary);
        if (!stream)
            throw Error(ErrorKind::input,
                path.string() + (std::filesystem::exists(path) ? " cannot be read." : " does not exist."),
                "A model folder needs a tokenizer.json (tokenizer.model or vocab.json alone will not do).");
        try {
            return nlohmann::json::parse(stream);
        } catch (const nlohmann::json::parse_error& error) {
            const std::string what = error.what();
            const std::size_t place = what.find("at line");
            throw Error(ErrorKind::input,
                path.string() + " is not valid JSON: " + (place == std::string::npos ? what : what.substr(place)) + ".",
                "Get the model's tokenizer.json again.");
        }
    }

} // namespace

TokenizerFile read_tokenizer_file(const std::filesystem::path& path)
{
    const nlohmann::json json = parse(path);
    const JsonPlace root(json, path.string(), "");
    TokenizerFile file;
    file.model = read_model(root["model"]);
    if (!root.absent("normalizer"))
        read_normalizer(root["normalizer"], file.normal_forms);
    bool byte_level = false;
    if (!root.absent("pre_tokenizer"))
        read_pre_tokenizer(root["pre_tokenizer"], file.steps, byte_level);
    if (!byte_level)
        root.refuse("has no ByteLevel in its pre_tokenizer; Keepset reads byte-level BPE only.");
    if (!root.absent("added_tokens"))
        read_added_tokens(root["added_tokens"], file);
    if (!root.absent("post_processor"))
        read_post_processor(root["post_processor"], file.bos);
    return file;
}

} // namespace keepset
