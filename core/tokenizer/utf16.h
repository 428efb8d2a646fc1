#pragma once

#include "core/tokenizer/notes.h"
#include "core/tokenizer/stop_look.h"

#include <unicode/unistr.h>

#include <string_view>

namespace keepset {

/// A text (UTF-8) as ICU takes it. Throws Cancelled.
inline icu::UnicodeString utf16_of(std::string_view utf8, const StopLook& look)
{
    icu::UnicodeString units(static_cast<std::int32_t>(utf8.size()), 0, 0);
    while (!utf8.empty()) {
        look.look();
        const std::string_view block = cut_utf8(utf8, bytes_between_looks);
        units.append(
            icu::UnicodeString::fromUTF8(icu::StringPiece(block.data(), static_cast<std::int32_t>(block.size()))));
        utf8.remove_prefix(block.size());
    }
    return units;
}

} // namespace keepset
