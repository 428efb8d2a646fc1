#include "core/tokenizer/tokenizer_parts.h"

#include <cmath>

namespace keepset {

namespace {

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
            if (right.size() < bpe.continuing_prefix.size())
                place.refuse("has '" + right + "', which is shorter than model.continuing_subword_prefix.");
            bpe.merged.push_back(id_of(left + right.substr(bpe.continuing_prefix.size())));
        }
    }

    Vocabulary read_vocabulary(const JsonPlace& place)
    {
        if (!place.value().is_object())
            place.refuse_value("an object of tokens and ids");
        Vocabulary vocabulary;
        vocabulary.reserve(place.value().size());
        for (const auto& [token, id] : place.value().items())
            vocabulary.emplace(
                token, id.is_number_unsigned() && id < (1 << 24) ? id.get<std::int32_t>() : place[token.c_str()].id());
        return vocabulary;
    }

    std::string optional_string(const JsonPlace& place, const char* name)
    {
        return place.absent(name) ? std::string() : place[name].string();
    }

    BpeFile read_bpe(const JsonPlace& model)
    {
        if (!model.absent("dropout") && model["dropout"].value() != 0)
            model["dropout"].refuse_value("null");
        BpeFile bpe;
        bpe.vocabulary = read_vocabulary(model["vocab"]);
        bpe.continuing_prefix = optional_string(model, "continuing_subword_prefix");
        bpe.end_suffix = optional_string(model, "end_of_word_suffix");
        bpe.byte_fallback = model.boolean("byte_fallback", false);
        if (bpe.byte_fallback && !(bpe.continuing_prefix + bpe.end_suffix).empty())
            model["byte_fallback"].refuse(
                "is true beside a continuing_subword_prefix or an end_of_word_suffix, which Keepset does not read.");
        read_merges(model["merges"], bpe);
        bpe.ignore_merges = model.boolean("ignore_merges", false);
        bpe.fuse_unknown = model.boolean("fuse_unk", false);
        if (!model.absent("unk_token")) {
            const std::string token = model["unk_token"].string();
            const auto unknown = bpe.vocabulary.find(token);
            if (unknown == bpe.vocabulary.end())
                model["unk_token"].refuse("is '" + token + "', which is not in model.vocab.");
            bpe.unknown = unknown->second;
        }
        return bpe;
    }

    std::pair<std::string, double> read_scored_token(const JsonPlace& place)
    {
        if (place.size() != 2)
            place.refuse("has " + std::to_string(place.size()) + " values instead of a token and its score.");
        const JsonPlace score = place[1];
        if (!score.value().is_number() || !std::isfinite(score.value().get<double>()))
            score.refuse_value("a finite number");
        return { place[std::size_t { 0 }].string(), score.value().get<double>() };
    }

    UnigramFile read_unigram(const JsonPlace& model)
    {
        UnigramFile unigram;
        const JsonPlace vocabulary = model["vocab"];
        if (!vocabulary.value().is_array())
            vocabulary.refuse_value("an array of tokens and scores");
        unigram.tokens.reserve(vocabulary.size());
        for (std::size_t i = 0; i < vocabulary.size(); ++i)
            unigram.tokens.push_back(read_scored_token(vocabulary[i]));
        if (unigram.tokens.empty())
            vocabulary.refuse("is empty.");
        if (!model.absent("unk_id")) {
            unigram.unknown = model["unk_id"].id();
            if (static_cast<std::size_t>(*unigram.unknown) >= unigram.tokens.size())
                model["unk_id"].refuse("is " + std::to_string(*unigram.unknown) + ", but model.vocab has "
                    + std::to_string(unigram.tokens.size()) + " tokens.");
        }
        unigram.byte_fallback = model.boolean("byte_fallback", false);
        return unigram;
    }

    WordLevel read_word_level(const JsonPlace& model)
    {
        WordLevel words;
        words.vocabulary = read_vocabulary(model["vocab"]);
        const auto unknown = words.vocabulary.find(model["unk_token"].string());
        if (unknown != words.vocabulary.end())
            words.unknown = unknown->second;
        return words;
    }

    /// Files of before 2021 do not name the type.
    std::string type_of(const JsonPlace& model)
    {
        if (!model.absent("type"))
            return model["type"].string();
        return model["vocab"].value().is_array() ? "Unigram" : "BPE";
    }

} // namespace

ModelFile read_model(const JsonPlace& place)
{
    const std::string type = type_of(place);
    if (type == "BPE")
        return read_bpe(place);
    if (type == "Unigram")
        return read_unigram(place);
    if (type == "WordLevel")
        return read_word_level(place);
    place["type"].refuse_value("BPE, Unigram, WordLevel");
}

} // namespace keepset
