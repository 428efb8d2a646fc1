#pragma once

#include <unicode/uchar.h>

#include <cstdint>

namespace keepset {

/// The character is in Unicode since this version or longer. Some tables of the tokenizers library are older than
/// ICU's, and ids must equal its ids.
inline bool is_in_unicode(char32_t character, int version)
{
    UVersionInfo age {};
    u_charAge(static_cast<UChar32>(character), age);
    return age[0] > 0 && age[0] <= version;
}

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

constexpr char32_t sandhi_mark = 0x111C9; ///< punctuation until Unicode 10, now a mark

/// ASCII punctuation, symbols included, and category P as of Unicode 8.
inline bool is_punctuation(char32_t character)
{
    constexpr int version = 8;
    constexpr char32_t chi_sign = 0x166D; // a symbol since Unicode 12
    if (character < 0x80)
        return character > 0x20 && character < 0x7F && u_isalnum(static_cast<UChar32>(character)) == 0;
    const bool now = (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_P_MASK) != 0;
    return (now && is_in_unicode(character, version)) || character == chi_sign || character == sandhi_mark;
}

/// Category M as of Unicode 9, which StripAccents takes out.
inline bool is_mark(char32_t character)
{
    constexpr int version = 9;
    constexpr char32_t ardhavisarga = 0x1CF2; // it and the next are letters since Unicode 12
    const bool now = (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_M_MASK) != 0 && character != sandhi_mark;
    return (now && is_in_unicode(character, version)) || character == ardhavisarga || character == ardhavisarga + 1;
}

} // namespace keepset
