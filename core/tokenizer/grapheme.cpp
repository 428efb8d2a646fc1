#include "core/tokenizer/grapheme.h"

#include "core/tokenizer/utf8.h"

#include <unicode/uchar.h>

namespace keepset {

namespace {

    int break_class(char32_t character)
    {
        return u_getIntPropertyValue(static_cast<UChar32>(character), UCHAR_GRAPHEME_CLUSTER_BREAK);
    }

    bool is_pictograph(char32_t character)
    {
        return u_hasBinaryProperty(static_cast<UChar32>(character), UCHAR_EXTENDED_PICTOGRAPHIC) != 0;
    }

    bool is_control(int kind) { return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF; }

    /// Rules 6 to 8: syllables of Hangul.
    bool joins_hangul(int before, int behind)
    {
        if (before == U_GCB_L)
            return behind == U_GCB_L || behind == U_GCB_V || behind == U_GCB_LV || behind == U_GCB_LVT;
        if (before == U_GCB_LV || before == U_GCB_V)
            return behind == U_GCB_V || behind == U_GCB_T;
        return (before == U_GCB_LVT || before == U_GCB_T) && behind == U_GCB_T;
    }

    /// A cluster as it grows.
    struct Cluster {
        int last; ///< class of its last character
        bool one_flag; ///< ends with an odd number of regional indicators
        enum class Picture : unsigned char { none, picture, joiner } picture; ///< pictograph Extend* (ZWJ)

        explicit Cluster(char32_t first)
            : last(break_class(first))
            , one_flag(last == U_GCB_REGIONAL_INDICATOR)
            , picture(is_pictograph(first) ? Picture::picture : Picture::none)
        {
        }

        bool take(char32_t character)
        {
            const int kind = break_class(character);
            if (!joins(kind, character))
                return false;
            one_flag = kind == U_GCB_REGIONAL_INDICATOR && !one_flag;
            if (is_pictograph(character))
                picture = Picture::picture;
            else if (picture == Picture::picture && kind == U_GCB_ZWJ)
                picture = Picture::joiner;
            else if (picture != Picture::picture || kind != U_GCB_EXTEND)
                picture = Picture::none;
            last = kind;
            return true;
        }

    private:
        bool joins(int kind, char32_t character) const
        {
            if (is_control(last) || is_control(kind))
                return last == U_GCB_CR && kind == U_GCB_LF;
            if (joins_hangul(last, kind) || kind == U_GCB_EXTEND || kind == U_GCB_ZWJ || kind == U_GCB_SPACING_MARK
                || last == U_GCB_PREPEND)
                return true;
            if (picture == Picture::joiner && is_pictograph(character))
                return true;
            return one_flag && kind == U_GCB_REGIONAL_INDICATOR;
        }
    };

} // namespace

std::size_t grapheme_end(std::string_view text, std::size_t begin)
{
    const auto plain = [](char byte) { return byte >= ' ' && byte < '\x7F'; };
    std::size_t end = begin;
    const char32_t first = next_character(text, end);
    if (plain(text[begin]) && (end == text.size() || plain(text[end])))
        return end;
    Cluster cluster(first);
    for (std::size_t next = end; end < text.size(); end = next) {
        if (!cluster.take(next_character(text, next)))
            break;
    }
    return end;
}

} // namespace keepset
