#include "core/tokenizer/normalizer.h"

#include "core/error.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"

#include <algorithm>
#include <array>
#include <optional>

namespace keepset {

namespace {

    /// What a character becomes; nothing where it stays.
    using Replacement = std::optional<std::string>;

    Replacement lower_case(char32_t character)
    {
        constexpr char32_t dotted_i = 0x130; // the one character whose lower case is two
        if (character == dotted_i)
            return "i\u0307";
        const UChar32 lower = u_tolower(static_cast<UChar32>(character));
        if (lower == static_cast<UChar32>(character))
            return std::nullopt;
        return utf8_of(static_cast<char32_t>(lower));
    }

    /// SentencePiece's rules of the nmt kind, as the tokenizers library has them.
    Replacement nmt(char32_t character)
    {
        constexpr std::array<char32_t, 4> dropped { 0x0B, 0x7F, 0x8F, 0x9F };
        constexpr std::array<char32_t, 10> spaces { 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x2028, 0x2029, 0x2581, 0xFEFF,
            0xFFFD };
        const auto is_in
            = [character](const auto& list) { return std::find(list.begin(), list.end(), character) != list.end(); };
        if ((character >= 0x01 && character <= 0x08) || (character >= 0x0E && character <= 0x1F) || is_in(dropped))
            return "";
        if ((character >= 0x200B && character <= 0x200F) || is_in(spaces))
            return " ";
        return std::nullopt;
    }

    Replacement replacement_of(char32_t character, CharacterStep step)
    {
        switch (step) {
        case CharacterStep::lowercase:
            return lower_case(character);
        case CharacterStep::strip_accents:
            return is_mark(character) ? Replacement("") : std::nullopt;
        case CharacterStep::nmt:
            return nmt(character);
        case CharacterStep::byte_letters:
            break;
        }
        return std::nullopt;
    }

    void spell_bytes(AlignedText& text, const std::stop_token& stop)
    {
        const std::string_view utf8 = text.utf8();
        TextEdit edit(utf8, stop);
        for (std::size_t at = 0; at < utf8.size(); ++at) {
            edit.step();
            const std::string_view letter = letter_of_byte(utf8[at]);
            const auto begin = static_cast<std::int64_t>(at);
            if (letter.size() > 1)
                edit.replace(begin, begin + 1, letter);
        }
        text.apply(std::move(edit));
    }

    void take(AlignedText& text, NormalForm form, const std::stop_token& stop) { normalize(text, form, stop); }

    void take(AlignedText& text, CharacterStep step, const std::stop_token& stop)
    {
        if (step == CharacterStep::byte_letters)
            return spell_bytes(text, stop);
        const std::string_view utf8 = text.utf8();
        TextEdit edit(utf8, stop);
        for (std::size_t at = 0; at < utf8.size();) {
            edit.step();
            const auto begin = static_cast<std::int64_t>(at);
            const Replacement with = replacement_of(next_character(utf8, at), step);
            if (with)
                edit.replace(begin, static_cast<std::int64_t>(at), *with);
        }
        text.apply(std::move(edit));
    }

    void take(AlignedText& text, const StripStep& step, const std::stop_token& stop)
    {
        const std::string_view utf8 = text.utf8();
        TextEdit edit(utf8, stop);
        std::size_t begin = 0;
        for (std::size_t at = 0; step.left && at < utf8.size() && is_white_space(next_character(utf8, at));) {
            edit.step();
            begin = at;
        }
        std::size_t end = utf8.size();
        for (std::size_t at = end; step.right && at > begin && is_white_space(previous_character(utf8, at));) {
            edit.step();
            end = at;
        }
        edit.replace(0, static_cast<std::int64_t>(begin), {});
        edit.replace(static_cast<std::int64_t>(end), static_cast<std::int64_t>(utf8.size()), {});
        text.apply(std::move(edit));
    }

    void take(AlignedText& text, const PrependStep& step, const std::stop_token& stop)
    {
        if (text.utf8().empty())
            return;
        TextEdit edit(text.utf8(), stop);
        edit.replace(0, 0, step.text);
        text.apply(std::move(edit));
    }

    void take(AlignedText& text, const ReplaceStep& step, const std::stop_token& stop)
    {
        const std::string_view utf8 = text.utf8();
        if (utf8.empty()) // The library looks for no match in it.
            return;
        Spans spans;
        PatternSearch(step.pattern, utf8, stop).find(0, static_cast<std::int64_t>(utf8.size()), spans);
        TextEdit edit(utf8, stop);
        for (const Span& span : spans) {
            edit.step();
            if (span.match)
                edit.replace(span.begin, span.end, step.content);
        }
        text.apply(std::move(edit));
    }

    void take(AlignedText& text, const Charsmap& charsmap, const std::stop_token& stop) { charsmap.apply(text, stop); }

} // namespace

void normalize(AlignedText& text, const std::vector<NormalizerStep>& steps, const std::stop_token& stop)
{
    for (const NormalizerStep& step : steps) {
        if (stop.stop_requested())
            throw Cancelled {};
        std::visit([&](const auto& known) { take(text, known, stop); }, step);
    }
}

} // namespace keepset
