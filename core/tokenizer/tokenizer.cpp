#include "core/tokenizer/tokenizer.h"

#include "core/engine.h"
#include "core/tokenizer/tokenizer_file.h"
#include "core/tokenizer/utf8.h"

#include <algorithm>
#include <limits>

namespace keepset {

struct Tokenizer::Impl {
    std::vector<NormalForm> normal_forms;
    AddedTokenFinder plain_tokens; ///< looked for in the text as it stands
    AddedTokenFinder normalized_tokens; ///< looked for after normalisation
    PreTokenizer pre_tokenizer;
    Bpe bpe;
    std::optional<std::int32_t> bos;
    std::vector<std::string> names; ///< by id: what a token stands for
};

namespace {

    std::size_t index_of(std::int64_t offset) { return static_cast<std::size_t>(offset); }

    std::string_view slice(std::string_view text, std::int64_t begin, std::int64_t end)
    {
        return text.substr(index_of(begin), index_of(end - begin));
    }

    std::int64_t utf8_bytes(const icu::UnicodeString& text, std::int32_t begin, std::int32_t end)
    {
        std::int64_t bytes = 0;
        for (std::int32_t i = begin; i < end; ++i) {
            const char16_t unit = text.charAt(i);
            if (unit < 0x80)
                bytes += 1;
            else if (unit < 0x800 || U16_IS_SURROGATE(unit)) // A pair of surrogates is four bytes.
                bytes += 2;
            else
                bytes += 3;
        }
        return bytes;
    }

    std::vector<std::string> names_of(const TokenizerFile& file)
    {
        std::vector<std::string> names;
        const auto set = [&](std::int32_t id, std::string name) {
            if (index_of(id) >= names.size())
                names.resize(index_of(id) + 1);
            names[index_of(id)] = std::move(name);
        };
        for (const auto& [token, id] : file.model.vocabulary) {
            const std::optional<std::string> bytes = bytes_of_letters(token);
            set(id, bytes ? shown_utf8(*bytes) : token);
        }
        for (const AddedToken& token : file.added_tokens)
            set(token.id, token.content);
        return names;
    }

    /// Added tokens that are looked for in the normalised text, or those that are not.
    std::vector<AddedToken> added_tokens_of(const TokenizerFile& file, bool normalized)
    {
        std::vector<AddedToken> tokens;
        for (AddedToken token : file.added_tokens) {
            if (token.normalized != normalized)
                continue;
            if (normalized)
                token.content = NormalizedText(token.content, file.normal_forms).utf8();
            tokens.push_back(std::move(token));
        }
        return tokens;
    }

    /// The tokens of one text as they come.
    class Output {
    public:
        Output(std::string_view text, const std::vector<std::string>& names)
            : text_(text)
            , names_(names)
        {
        }

        void push(std::int32_t id, std::int64_t begin, std::int64_t end)
        {
            begin = std::max(begin, covered_);
            end = std::max(begin, end);
            covered_ = end;
            tokens_.push_back(
                { id, begin, end, begin == end ? names_.at(index_of(id)) : shown_utf8(slice(text_, begin, end)) });
        }

        std::vector<Token> take() { return std::move(tokens_); }

    private:
        std::string_view text_;
        const std::vector<std::string>& names_;
        std::vector<Token> tokens_;
        std::int64_t covered_ = 0; ///< bytes before this have their tokens
    };

    /// Where a stretch between added tokens stands: its normalised form, and where its source begins in the text.
    struct Stretch {
        const NormalizedText& text;
        std::int64_t source_begin = 0;
    };

    /// Words of [begin, end) of a normalised stretch → tokens.
    void encode_words(const Stretch& stretch, const AddedSplit& split, const PreTokenizer& pre_tokenizer,
        WordCache& cache, Output& output, const std::stop_token& stop)
    {
        const std::string_view bytes = slice(stretch.text.utf8(), split.begin, split.end);
        const icu::UnicodeString text
            = icu::UnicodeString::fromUTF8(icu::StringPiece(bytes.data(), static_cast<std::int32_t>(bytes.size())));
        std::int64_t at = 0; // (bytes) of the UTF-16 offset `unit`
        std::int32_t unit = 0;
        std::string spaced;
        std::size_t words = 0;
        for (const Piece& piece : pre_tokenizer.split(text, stop)) {
            if (words++ % 4096 == 0 && stop.stop_requested())
                throw Cancelled {};
            at += utf8_bytes(text, unit, piece.begin);
            const std::int64_t end = at + utf8_bytes(text, piece.begin, piece.end);
            std::string_view word = slice(bytes, at, end);
            if (piece.prefix_space) {
                spaced.assign(1, ' ').append(word);
                word = spaced;
            }
            const std::int64_t shift = at - (piece.prefix_space ? 1 : 0);
            for (const WordToken& token : cache.encode(word)) {
                const std::int64_t from = split.begin + std::max(at, shift + token.begin);
                const std::int64_t to = split.begin + std::max(at, shift + token.end);
                output.push(token.id, stretch.source_begin + stretch.text.source_of(from),
                    stretch.source_begin + stretch.text.source_of(to));
            }
            at = end;
            unit = piece.end;
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
    impl->normal_forms = file.normal_forms;
    impl->plain_tokens = AddedTokenFinder(added_tokens_of(file, false));
    impl->normalized_tokens = AddedTokenFinder(added_tokens_of(file, true));
    impl->bpe = Bpe(file.model);
    impl->bos = file.bos;
    impl->names = names_of(file);
    try {
        impl->pre_tokenizer = PreTokenizer(file.steps);
    } catch (const Error& error) {
        throw Error(error.kind(), tokenizer_json.string() + ": pre_tokenizer: " + error.what(), error.hint());
    }
    if (file.bos && index_of(*file.bos) >= impl->names.size())
        throw Error(ErrorKind::input,
            tokenizer_json.string() + ": post_processor puts the id " + std::to_string(*file.bos)
                + " first, which no token has.");
    return Tokenizer(std::move(impl));
}

std::vector<Token> Tokenizer::encode(const std::string& utf8, bool add_special, const std::stop_token& stop) const
{
    check_utf8(utf8, "The text");
    if (utf8.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        throw Error(ErrorKind::input,
            "The text has " + std::to_string(utf8.size()) + " bytes; 2147483647 can be tokenised.",
            "Take a shorter text.");
    Output output(utf8, impl_->names);
    WordCache cache(impl_->bpe);
    if (add_special && impl_->bos)
        output.push(*impl_->bos, 0, 0);
    for (const AddedSplit& split : impl_->plain_tokens.split(utf8)) {
        if (split.id >= 0) {
            output.push(split.id, split.begin, split.end);
            continue;
        }
        const NormalizedText text(slice(utf8, split.begin, split.end), impl_->normal_forms);
        for (const AddedSplit& inner : impl_->normalized_tokens.split(text.utf8())) {
            if (inner.id >= 0)
                output.push(
                    inner.id, split.begin + text.source_of(inner.begin), split.begin + text.source_of(inner.end));
            else
                encode_words({ text, split.begin }, inner, impl_->pre_tokenizer, cache, output, stop);
        }
    }
    return output.take();
}

std::int64_t Tokenizer::vocabulary() const { return static_cast<std::int64_t>(impl_->names.size()); }

std::optional<std::int32_t> Tokenizer::bos() const { return impl_->bos; }

std::string Tokenizer::token_text(std::int32_t id) const
{
    return id >= 0 && index_of(id) < impl_->names.size() ? impl_->names[index_of(id)] : std::string();
}

std::vector<Token> tokenize(const std::filesystem::path& folder, const Text& text)
{
    check_utf8(text.bytes, text.name.empty() ? "The text" : text.name);
    return Tokenizer::load(folder / "tokenizer.json").encode(text.bytes);
}

} // namespace keepset
