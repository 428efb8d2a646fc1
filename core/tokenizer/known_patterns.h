#pragma once

#include "core/tokenizer/stop_look.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace keepset {

/// Patterns that most byte-level tokenizers cut by. A recogniser for each does what the regular expression does, many
/// times faster: tests hold the two against one another.
enum class KnownPattern : std::uint8_t {
    gpt2, ///< byte_level_pattern
    llama3, ///< Llama 3's, up to three digits a word
    qwen2, ///< Qwen2's, every digit a word
};

/// The known pattern that `expression` spells exactly.
std::optional<KnownPattern> known_pattern(std::string_view expression);

/// End of the match that begins at `begin`, and where the next one begins. `text` (UTF-8) is all that the pattern sees.
/// begin < text.size(). Throws Cancelled.
std::size_t known_match_end(KnownPattern pattern, std::string_view text, std::size_t begin, StopLook& look);

} // namespace keepset
