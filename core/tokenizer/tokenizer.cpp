#include "core/tokenizer/tokenizer.h"

#include "core/error.h"
#include "core/model_info.h"
#include "core/tokenizer/notes.h"
#include "core/tokenizer/stop_look.h"
#include "core/tokenizer/tokenizer_file.h"
#include "core/tokenizer/utf8.h"
#include "core/tokenizer/word_cache.h"
#include "core/tokens.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace keepset {

struct Tokenizer::Impl {
    std::vector<NormalizerStep> normalizer;
    AddedTokenFinder plain_tokens; ///< looked for in the text as it stands
    AddedTokenFinder normalized_tokens; ///< looked for after normalisation
    PreTokenizer pre_tokenizer;
    Model model;
    Specials specials;
    std::vector<std::string> notes;
    std::vector<std::string> names; ///< by id: what a token stands for
};

namespace {

    std::size_t index_of(std::int64_t offset) { return static_cast<std::size_t>(offset); }

    std::string_view slice(std::string_view text, std::int64_t begin, std::int64_t end)
    {
        return text.substr(index_of(begin), index_of(end - begin));
    }

    /// What a token of the vocabulary stands for.
    std::string name_of(const std::string& token, bool letters)
    {
        constexpr std::string_view metaspace = "\u2581";
        if (const std::optional<std::string> bytes = letters ? bytes_of_letters(token) : std::nullopt)
            return shown_utf8(*bytes);
        if (const std::optional<char> byte = fallback_byte(token))
            return shown_utf8({ &*byte, 1 });
        std::string name = token;
        for (std::size_t at = letters ? std::string::npos : name.find(metaspace); at != std::string::npos;
             at = name.find(metaspace, at))
            name.replace(at, metaspace.size(), " ");
        return name;
    }

    /// The vocabulary spells bytes in GPT-2's letters.
    bool uses_letters(const TokenizerFile& file)
    {
        const auto* bpe = std::get_if<BpeFile>(&file.model);
        const auto is_letters = [](const auto& step) {
            const auto* character = std::get_if<CharacterStep>(&step);
            return character != nullptr && *character == CharacterStep::byte_letters;
        };
        return (bpe != nullptr && bpe->byte_level)
            || std::any_of(file.normalizer.begin(), file.normalizer.end(), is_letters)
            || std::any_of(file.pre_tokenizer.begin(), file.pre_tokenizer.end(),
                [](const auto& step) { return std::holds_alternative<ByteLettersStep>(step); });
    }

    std::vector<std::string> names_of(const TokenizerFile& file)
    {
        std::vector<std::string> names;
        const auto set = [&](std::int32_t id, std::string name) {
            if (index_of(id) >= names.size())
                names.resize(index_of(id) + 1);
            names[index_of(id)] = std::move(name);
        };
        const bool letters = uses_letters(file);
        const auto set_all = [&](const Vocabulary& vocabulary) {
            for (const auto& [token, id] : vocabulary)
                set(id, name_of(token, letters));
        };
        if (const auto* bpe = std::get_if<BpeFile>(&file.model))
            set_all(bpe->vocabulary);
        else if (const auto* words = std::get_if<WordLevel>(&file.model))
            set_all(words->vocabulary);
        else
            for (const auto& [token, score] : std::get<UnigramFile>(file.model).tokens)
                names.push_back(name_of(token, letters));
        for (const AddedToken& token : file.added_tokens)
            set(token.id, token.content);
        return names;
    }

    Model model_of(const ModelFile& file)
    {
        if (const auto* bpe = std::get_if<BpeFile>(&file))
            return Bpe(*bpe);
        if (const auto* unigram = std::get_if<UnigramFile>(&file))
            return Unigram(*unigram);
        return std::get<WordLevel>(file);
    }

    /// Added tokens that are looked for in the normalised text, or those that are not.
    std::vector<AddedToken> added_tokens_of(const TokenizerFile& file, bool normalized)
    {
        std::vector<AddedToken> tokens;
        for (AddedToken token : file.added_tokens) {
            if (token.normalized != normalized)
                continue;
            if (normalized) {
                AlignedText content(token.content);
                normalize(content, file.normalizer, {});
                token.content = std::string(content.utf8());
            }
            if (!token.content.empty())
                tokens.push_back(std::move(token));
        }
        return tokens;
    }

    /// The tokens of one text as they come, in blocks: a vector that grew would move millions at once, while no stop is
    /// looked at.
    class Output {
    public:
        Output(
            std::string_view text, const std::vector<std::string>& names, std::size_t most, const std::stop_token& stop)
            : text_(text)
            , names_(names)
            , most_(most)
            , look_(stop)
        {
        }

        bool full() const { return count_ >= most_; }
        StopLook& look() { return look_; }

        void push(std::int32_t id, std::int64_t begin, std::int64_t end)
        {
            look_.step();
            if (count_ % block == 0)
                blocks_.emplace_back().reserve(std::min(block, text_.size() + 1));
            begin = std::max(begin, covered_);
            end = std::max(begin, end);
            covered_ = end;
            blocks_.back().push_back(
                { id, begin, end, begin == end ? names_.at(index_of(id)) : shown_utf8(slice(text_, begin, end)) });
            ++count_;
        }

        std::vector<Token> take()
        {
            if (blocks_.size() == 1)
                return first(std::move(blocks_.front()));
            std::vector<Token> tokens;
            tokens.reserve(count_);
            for (std::vector<Token>& some : blocks_) {
                look_.look();
                std::move(some.begin(), some.end(), std::back_inserter(tokens));
                some = {};
            }
            return first(std::move(tokens));
        }

    private:
        static constexpr std::size_t block = std::size_t { 1 } << 16U;

        std::vector<Token> first(std::vector<Token> tokens) const
        {
            if (tokens.size() > most_) // a word may have brought some too many
                tokens.resize(most_);
            return tokens;
        }

        std::string_view text_;
        const std::vector<std::string>& names_;
        std::size_t most_;
        StopLook look_;
        std::vector<std::vector<Token>> blocks_; ///< full but for the last
        std::size_t count_ = 0;
        std::int64_t covered_ = 0; ///< bytes before this have their tokens
    };

    /// Tokens of the pieces of a text whose source begins at `source_begin`.
    void encode_pieces(const AlignedText& text, std::int64_t source_begin, const std::vector<Piece>& pieces,
        WordCache& cache, Output& output)
    {
        const auto push = [&](std::int32_t id, std::int64_t begin, std::int64_t end) {
            output.push(id, source_begin + text.source_begin(begin), source_begin + text.source_end(end));
        };
        for (const Piece& piece : pieces) {
            output.look().step();
            if (output.full())
                return;
            if (piece.id >= 0) {
                push(piece.id, piece.begin, piece.end);
                continue;
            }
            cache.encode(
                slice(text.utf8(), piece.begin, piece.end), [&](std::span<const WordToken> tokens, std::int64_t part) {
                    for (const WordToken& token : tokens)
                        push(token.id, piece.begin + part + token.begin, piece.begin + part + token.end);
                });
        }
    }

} // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Impl> impl)
    : impl_(std::move(impl))
{
}

Tokenizer Tokenizer::load(const std::filesystem::path& tokenizer_json)
{
    const TokenizerFile file = read_tokenizer_file(tokenizer_json);
    auto impl = std::make_shared<Impl>();
    impl->normalizer = file.normalizer;
    impl->plain_tokens = AddedTokenFinder(added_tokens_of(file, false));
    impl->normalized_tokens = AddedTokenFinder(added_tokens_of(file, true));
    impl->pre_tokenizer = PreTokenizer(file.pre_tokenizer);
    impl->model = model_of(file.model);
    impl->specials = file.specials;
    impl->notes = file.notes;
    if (std::string note = bos_note(tokenizer_json.parent_path(), file.specials.bos.has_value()); !note.empty())
        impl->notes.push_back(std::move(note));
    impl->names = names_of(file);
    std::vector<std::int32_t> special = file.specials.behind;
    if (file.specials.bos)
        special.push_back(*file.specials.bos);
    for (const std::int32_t id : special) {
        if (index_of(id) >= impl->names.size())
            throw Error(ErrorKind::input,
                tokenizer_json.string() + ": post_processor adds the id " + std::to_string(id)
                    + ", which no token has.");
    }
    return Tokenizer(std::move(impl));
}

std::vector<Token> Tokenizer::encode(
    const std::string& utf8, bool add_special, const std::stop_token& stop, std::size_t most) const
{
    check_utf8(utf8, "The text", stop);
    if (utf8.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        throw Error(ErrorKind::input,
            "The text has " + std::to_string(utf8.size()) + " bytes; 2147483647 can be tokenised.",
            "Take a shorter text.");
    Output output(utf8, impl_->names, most, stop);
    WordCache cache(impl_->model, stop);
    if (add_special && impl_->specials.bos)
        output.push(*impl_->specials.bos, 0, 0);
    for (const Piece& section : impl_->plain_tokens.split(utf8, stop)) {
        if (output.full())
            break;
        output.look().step();
        if (section.id >= 0) {
            output.push(section.id, section.begin, section.end);
            continue;
        }
        AlignedText text(slice(utf8, section.begin, section.end));
        normalize(text, impl_->normalizer, stop);
        std::vector<Piece> pieces = impl_->normalized_tokens.split(text.utf8(), stop);
        impl_->pre_tokenizer.run(text, section.begin, pieces, stop);
        encode_pieces(text, section.begin, pieces, cache, output);
    }
    return output.take();
}

const std::vector<std::string>& Tokenizer::notes() const { return impl_->notes; }

std::int64_t Tokenizer::vocabulary() const { return static_cast<std::int64_t>(impl_->names.size()); }

std::optional<std::int32_t> Tokenizer::bos() const { return impl_->specials.bos; }

std::vector<Token> Tokenizer::behind(std::int64_t bytes) const
{
    std::vector<Token> tokens;
    for (const std::int32_t id : impl_->specials.behind)
        tokens.push_back({ id, bytes, bytes, token_text(id) });
    return tokens;
}

std::vector<std::string> Tokenizer::notes_about(const std::string& utf8) const
{
    std::vector<std::string> notes;
    if (impl_->specials.bos) {
        constexpr std::size_t enough = 4096; // bytes; a token is found at the front, behind white space at most
        const std::string front(cut_utf8(utf8, enough));
        const std::vector<Token> tokens = encode(front, false);
        if (!tokens.empty() && tokens.front().id == *impl_->specials.bos)
            notes.push_back("The text itself begins with the BOS token '" + token_text(*impl_->specials.bos)
                + "', and the tokenizer puts one in front: it begins with two BOS tokens, as it does in transformers. "
                  "Take it out of the text unless that is meant.");
    }
    if (!impl_->specials.behind.empty())
        notes.push_back("The tokenizer puts '" + token_text(impl_->specials.behind.front())
            + "' behind a text. Only `tokenize` shows it: what is analysed or scored ends where the text ends.");
    for (std::string& note : format_notes(utf8))
        notes.push_back(std::move(note));
    return notes;
}

std::string Tokenizer::token_text(std::int32_t id) const
{
    return id >= 0 && index_of(id) < impl_->names.size() ? impl_->names[index_of(id)] : std::string();
}

namespace {

    /// Of a folder that has one; all else that a model folder needs may be missing.
    Tokenizer tokenizer_of(const std::filesystem::path& given)
    {
        std::error_code ignored;
        const bool has_tokenizer = std::filesystem::exists(given / "tokenizer.json", ignored);
        return Tokenizer::load((has_tokenizer ? given : model_folder(given)) / "tokenizer.json");
    }

} // namespace

TokenizedText tokenize(const std::filesystem::path& given, const Text& text, const Task& task)
{
    check_utf8(text.bytes, text.name.empty() ? "The text" : text.name, task.stop);
    const Tokenizer tokenizer = tokenizer_of(given);
    TokenizedText result { tokenizer.encode(text.bytes, true, task.stop), tokenizer.notes() };
    for (std::string& note : tokenizer.notes_about(text.bytes))
        result.notes.push_back(std::move(note));
    for (Token& token : tokenizer.behind(static_cast<std::int64_t>(text.bytes.size())))
        result.tokens.push_back(std::move(token));
    return result;
}

TokenCount count_tokens(const std::filesystem::path& given, const Text& text, std::size_t most, const Task& task)
{
    const Tokenizer tokenizer = tokenizer_of(given);
    const std::size_t tokens = tokenizer.encode(text.bytes, true, task.stop, most).size();
    return { static_cast<std::int64_t>(tokens), tokens < most, tokenizer.notes_about(text.bytes) };
}

} // namespace keepset
