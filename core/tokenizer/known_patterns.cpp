#include "core/tokenizer/known_patterns.h"

#include "core/tokenizer/split_pattern.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"

#include <array>

namespace keepset {

namespace {

    // Sources: the tokenizer.json of Llama 3 and of Qwen2; they differ in the digits only.
    constexpr std::string_view llama3_pattern
        = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    constexpr std::string_view qwen2_pattern
        = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

    /// \p{L}, \p{N}, \s and the rest: disjoint, and the patterns ask for nothing else.
    enum class Class : std::uint8_t { letter, number, space, other };

    Class class_of_character(char32_t character)
    {
        const std::uint32_t category = U_GET_GC_MASK(static_cast<UChar32>(character));
        if ((category & U_GC_L_MASK) != 0)
            return Class::letter;
        if ((category & U_GC_N_MASK) != 0)
            return Class::number;
        return is_white_space(character) ? Class::space : Class::other;
    }

    std::array<Class, 0x80> make_ascii_classes()
    {
        std::array<Class, 0x80> classes {};
        for (std::size_t character = 0; character < classes.size(); ++character)
            classes[character] = class_of_character(static_cast<char32_t>(character));
        return classes;
    }

    /// A text and the place in it that a match has reached.
    class Cursor {
    public:
        Cursor(std::string_view text, std::size_t at, StopLook& look)
            : text_(text)
            , at_(at)
            , look_(look)
        {
        }

        std::size_t at() const { return at_; }
        bool at_end() const { return at_ >= text_.size(); }
        bool is(char character) const { return !at_end() && text_[at_] == character; }
        bool is_line_end() const { return is('\r') || is('\n'); }
        bool is(Class wanted) const
        {
            std::size_t behind = at_;
            return !at_end() && class_at(behind) == wanted;
        }
        void move_to(std::size_t at) { at_ = at; }

        /// Moves behind the run of one class; false where none stands here.
        bool skip(Class wanted)
        {
            const std::size_t begin = at_;
            for (std::size_t behind = at_; !at_end() && class_at(behind) == wanted;) {
                look_.step();
                at_ = behind;
            }
            return at_ > begin;
        }

        bool skip_one(Class wanted)
        {
            std::size_t behind = at_;
            if (at_end() || class_at(behind) != wanted)
                return false;
            at_ = behind;
            return true;
        }

    private:
        /// Class of the character at `at`, which moves behind it.
        Class class_at(std::size_t& at) const
        {
            static const std::array<Class, 0x80> ascii = make_ascii_classes();
            const auto byte = static_cast<unsigned char>(text_[at]);
            if (byte >= ascii.size())
                return class_of_character(next_character(text_, at));
            ++at;
            return ascii[byte];
        }

        std::string_view text_;
        std::size_t at_;
        StopLook& look_;
    };

    /// Length of 's, 't, 're, 've, 'm, 'll or 'd at `begin`; 0 where there is none.
    std::size_t contraction_length(std::string_view text, std::size_t begin, bool any_case)
    {
        if (text[begin] != '\'')
            return 0;
        const auto letter = [&](std::size_t at) {
            const char byte = at < text.size() ? text[at] : '\0';
            return any_case && byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
        };
        const char first = letter(begin + 1);
        const char second = letter(begin + 2);
        if (first == 's' || first == 't' || first == 'm' || first == 'd')
            return 2;
        if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
            return 3;
        const bool long_s = any_case && text.substr(begin + 1).starts_with("\u017F"); // Its upper case is S.
        return long_s ? 3 : 0;
    }

    /// \s+(?!\S)|\s+ with `text` standing at white space.
    std::size_t white_space_end(std::string_view text, Cursor cursor)
    {
        const std::size_t begin = cursor.at();
        cursor.skip(Class::space);
        if (cursor.at_end())
            return cursor.at();
        std::size_t last = cursor.at();
        previous_character(text, last);
        return last > begin ? last : cursor.at();
    }

    std::size_t gpt2_end(std::string_view text, std::size_t begin, StopLook& look)
    {
        const std::size_t contraction = contraction_length(text, begin, false);
        if (contraction > 0)
            return begin + contraction;
        Cursor cursor(text, text[begin] == ' ' ? begin + 1 : begin, look);
        if (cursor.skip(Class::letter) || cursor.skip(Class::number) || cursor.skip(Class::other))
            return cursor.at();
        return white_space_end(text, Cursor(text, begin, look));
    }

    /// \s*[\r\n]+: up to the last line end of the white space at `begin`; `begin` where it has none.
    std::size_t lines_end(std::string_view text, std::size_t begin, StopLook& look)
    {
        Cursor cursor(text, begin, look);
        cursor.skip(Class::space);
        const std::size_t last = text.substr(begin, cursor.at() - begin).find_last_of("\r\n");
        return last == std::string_view::npos ? begin : begin + last + 1;
    }

    std::size_t llama3_end(std::string_view text, std::size_t begin, int digits, StopLook& look)
    {
        const std::size_t contraction = contraction_length(text, begin, true);
        if (contraction > 0)
            return begin + contraction;
        Cursor cursor(text, begin, look);
        if (!cursor.is_line_end() && (cursor.skip_one(Class::space) || cursor.skip_one(Class::other))) {
            if (cursor.skip(Class::letter))
                return cursor.at();
            cursor.move_to(begin);
        }
        if (cursor.skip(Class::letter))
            return cursor.at();
        int taken = 0;
        while (taken < digits && cursor.skip_one(Class::number))
            ++taken;
        if (taken > 0)
            return cursor.at();
        if (cursor.is(' '))
            cursor.move_to(begin + 1);
        if (cursor.skip(Class::other)) {
            while (cursor.is_line_end())
                cursor.move_to(cursor.at() + 1);
            return cursor.at();
        }
        const std::size_t lines = lines_end(text, begin, look);
        return lines > begin ? lines : white_space_end(text, Cursor(text, begin, look));
    }

} // namespace

std::optional<KnownPattern> known_pattern(std::string_view expression)
{
    if (expression == byte_level_pattern)
        return KnownPattern::gpt2;
    if (expression == llama3_pattern)
        return KnownPattern::llama3;
    if (expression == qwen2_pattern)
        return KnownPattern::qwen2;
    return std::nullopt;
}

std::size_t known_match_end(KnownPattern pattern, std::string_view text, std::size_t begin, StopLook& look)
{
    look.step();
    if (pattern == KnownPattern::gpt2)
        return gpt2_end(text, begin, look);
    constexpr int llama3_digits = 3;
    return llama3_end(text, begin, pattern == KnownPattern::llama3 ? llama3_digits : 1, look);
}

} // namespace keepset
