#pragma once

#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/normal_form.h"
#include "core/tokenizer/split_pattern.h"

#include <cstdint>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace keepset {

/// Steps that look at one character at a time.
enum class CharacterStep : std::uint8_t {
    lowercase,
    strip_accents, ///< marks are left out
    nmt, ///< control characters are left out, other white space and format characters become spaces
    byte_letters, ///< ByteLevel: every byte becomes the letter that spells it
};

/// White space is left out at the ends.
struct StripStep {
    bool left = true;
    bool right = true;
};

/// A text before every text that is not empty.
struct PrependStep {
    std::string text;
};

struct ReplaceStep {
    SplitPattern pattern;
    std::string content;
};

/// A step of tokenizer.json's normalizer.
using NormalizerStep = std::variant<NormalForm, CharacterStep, StripStep, PrependStep, ReplaceStep, Charsmap>;

/// Runs the steps over a text, one after the other. Throws Cancelled, and Error{input} where a pattern backtracks
/// without end.
void normalize(AlignedText& text, const std::vector<NormalizerStep>& steps, const std::stop_token& stop);

} // namespace keepset
