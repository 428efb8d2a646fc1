#pragma once

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/known_patterns.h"
#include "core/tokenizer/split_pattern.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace keepset {

/// Split, and ByteLevel's use_regex: cut by a pattern.
struct SplitStep {
    SplitPattern pattern;
    std::optional<KnownPattern> known; ///< the pattern is this one: its recogniser may do the work
    SplitBehavior behavior = SplitBehavior::isolated;
    bool invert = false; ///< cut at what does not match
};

/// Digits, Punctuation, WhitespaceSplit, Whitespace: cut by classes of characters.
struct ClassStep {
    enum class Kind : std::uint8_t {
        digits,
        punctuation,
        white_space, ///< white space goes, what lies between stays
        words, ///< runs of word characters, and of what is neither these nor white space, stay
    };
    Kind kind = Kind::digits;
    SplitBehavior behavior = SplitBehavior::isolated;
};

/// Metaspace: spaces become a visible character, and pieces begin with it.
struct MetaspaceStep {
    enum class Prepend : std::uint8_t { always, first, never };
    std::string replacement; ///< one character, UTF-8
    Prepend prepend = Prepend::always; ///< to pieces that do not begin with it; first: at the text's very start only
    bool split = true;
};

/// ByteLevel's add_prefix_space: a space before every piece that has none.
struct PrefixSpaceStep { };

/// ByteLevel: every byte becomes the letter that spells it.
struct ByteLettersStep { };

using PreTokenizerStep = std::variant<SplitStep, ClassStep, MetaspaceStep, PrefixSpaceStep, ByteLettersStep>;

/// Cuts a text into words by the steps of tokenizer.json's pre_tokenizer, which may also change it. Safe to use from
/// several threads.
class PreTokenizer {
public:
    PreTokenizer() = default;
    explicit PreTokenizer(std::vector<PreTokenizerStep> steps)
        : steps_(std::move(steps))
    {
    }

    /// Cuts those of `pieces` (ascending, disjoint) that are no added tokens. `source_begin` is where the text's source
    /// begins in the user's text. Throws Cancelled, and Error{input} where a pattern backtracks without end.
    void run(
        AlignedText& text, std::int64_t source_begin, std::vector<Piece>& pieces, const std::stop_token& stop) const;

private:
    std::vector<PreTokenizerStep> steps_;
};

} // namespace keepset
