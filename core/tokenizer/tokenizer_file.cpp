#include "core/tokenizer/tokenizer_file.h"

#include "core/error.h"
#include "core/model/model_folder.h"
#include "core/tokenizer/tokenizer_parts.h"

#include <algorithm>
#include <fstream>

namespace keepset {

namespace {

    /// The vocabulary of any model.
    class Words {
    public:
        explicit Words(const ModelFile& model)
        {
            if (const auto* bpe = std::get_if<BpeFile>(&model))
                words_ = &bpe->vocabulary;
            else if (const auto* words = std::get_if<WordLevel>(&model))
                words_ = &words->vocabulary;
            else
                index(std::get<UnigramFile>(model));
        }

        std::size_t count() const { return words_ != nullptr ? words_->size() : count_; }
        std::optional<std::int32_t> find(const std::string& token) const
        {
            const Vocabulary& words = words_ != nullptr ? *words_ : indexed_;
            const auto found = words.find(token);
            return found == words.end() ? std::nullopt : std::optional(found->second);
        }

    private:
        void index(const UnigramFile& unigram)
        {
            count_ = unigram.tokens.size();
            for (std::size_t id = 0; id < count_; ++id)
                indexed_[unigram.tokens[id].first] = static_cast<std::int32_t>(id); // Of equal tokens the last.
        }

        const Vocabulary* words_ = nullptr;
        Vocabulary indexed_;
        std::size_t count_ = 0;
    };

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
        const Words words(file.model);
        auto next = static_cast<std::int32_t>(words.count());
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
            const std::optional<std::int32_t> word = words.find(token.content);
            const std::int32_t expected = word.value_or(next);
            if (token.id != expected)
                list[i].refuse("gives '" + token.content + "' the id " + std::to_string(token.id) + ", but "
                        + (word ? "model.vocab says " : "the next free id is ") + std::to_string(expected) + ".",
                    "The tokenizers library would use " + std::to_string(expected)
                        + " whatever the file says. If that is the row of the embedding which was trained, write "
                        + std::to_string(expected)
                        + " into the file; otherwise the added tokens between are missing from it.");
            if (!word)
                ++next;
            (token.special ? file.added_tokens : others).push_back(token);
        }
        file.added_tokens.insert(file.added_tokens.end(), others.begin(), others.end());
    }

    std::vector<std::string> read_notes(const JsonPlace& root)
    {
        std::vector<std::string> notes;
        if (!root.absent("truncation")) {
            const JsonPlace truncation = root["truncation"];
            const std::string length
                = truncation.absent("max_length") ? "some" : truncation["max_length"].value().dump();
            notes.push_back("truncation to " + length + " tokens is ignored: Keepset reads whole texts");
        }
        if (!root.absent("padding"))
            notes.emplace_back("padding is ignored: Keepset reads one text at a time");
        return notes;
    }

    /// Where ByteLevel comes last, byte-pair encoding works on the bytes themselves: the same tokens, sooner.
    void use_bytes(TokenizerFile& file)
    {
        auto* bpe = std::get_if<BpeFile>(&file.model);
        const bool plain = bpe != nullptr && !bpe->byte_fallback && (bpe->continuing_prefix + bpe->end_suffix).empty();
        if (!plain || file.pre_tokenizer.empty() || !std::holds_alternative<ByteLettersStep>(file.pre_tokenizer.back()))
            return;
        file.pre_tokenizer.pop_back();
        bpe->byte_level = true;
    }

    nlohmann::json parse(const std::filesystem::path& path)
    {
        if (std::filesystem::is_directory(path))
            throw Error(ErrorKind::input, path.string() + " is a directory.", "Name a tokenizer.json.");
        refuse_lfs_pointer(path);
        std::ifstream stream(path, std::ios::binary);
        if (!stream)
            throw Error(ErrorKind::input,
                path.string() + (std::filesystem::exists(path) ? " cannot be read." : " does not exist."),
                "tokenizer.model or vocab.json alone will not do; transformers makes one of them: "
                    + tokenizer_line(path.parent_path()));
        try {
            return nlohmann::json::parse(stream);
        } catch (const nlohmann::json::exception& error) { // also a number that no double holds
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
        file.normalizer = read_normalizer(root["normalizer"]);
    if (!root.absent("pre_tokenizer"))
        file.pre_tokenizer = read_pre_tokenizer(root["pre_tokenizer"]);
    if (!root.absent("added_tokens"))
        read_added_tokens(root["added_tokens"], file);
    if (!root.absent("post_processor"))
        file.specials = read_specials(root["post_processor"]);
    file.notes = read_notes(root);
    use_bytes(file);
    return file;
}

} // namespace keepset
