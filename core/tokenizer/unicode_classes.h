#pragma once

#include <unicode/uchar.h>

#include <cstdint>

namespace keepset {

/// \w of UTS 18, annex C.
inline bool is_word(char32_t character)
{
    constexpr std::uint32_t classes = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
    const auto c = static_cast<UChar32>(character);
    return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0 || (U_GET_GC_MASK(c) & classes) != 0
        || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
}

inline bool is_white_space(char32_t character) { return u_isUWhiteSpace(static_cast<UChar32>(character)) != 0; }

/// A number in the sense of Nd, Nl and No.
inline bool is_numeric(char32_t character)
{
    return (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_N_MASK) != 0;
}

/// ASCII punctuation, symbols included, and category P.
inline bool is_punctuation(char32_t character)
{
    if (character < 0x80)
        return character > 0x20 && character < 0x7F && u_isalnum(static_cast<UChar32>(character)) == 0;
    return (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_P_MASK) != 0;
}

/// Category M, which StripAccents takes out.
inline bool is_mark(char32_t character) { return (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_M_MASK) != 0; }

} // namespace keepset
