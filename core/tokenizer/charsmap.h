#pragma once

#include "core/tokenizer/aligned_text.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace keepset {

/// SentencePiece's table of replacements (tokenizer.json's normalizer Precompiled): a double array over bytes (Aoe
/// 1989; the units are those of the Darts-clone library), whose values are places in a list of NUL-terminated texts.
class Charsmap {
public:
    /// `base64` is the field precompiled_charsmap. Throws Error{input} with the problem, without the file's name.
    static Charsmap read(std::string_view base64);

    /// Replaces characters, and clusters of less than six bytes, as the tokenizers library does. Throws Cancelled.
    void apply(AlignedText& text, const std::stop_token& stop = {}) const;

private:
    /// What the shortest beginning of `piece` that is in the table becomes; nothing where none is.
    std::optional<std::string_view> replacement_of(std::string_view piece) const;

    std::vector<std::uint32_t> units_;
    std::string texts_; ///< UTF-8, ends with NUL
};

} // namespace keepset
