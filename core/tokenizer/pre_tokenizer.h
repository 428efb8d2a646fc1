#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <unicode/regex.h>
#include <unicode/unistr.h>

namespace keepset {

/// What becomes of the matches of a pre-tokenizer's pattern (tokenizer.json's "behavior").
enum class SplitBehavior : std::uint8_t { isolated, removed, merged_with_previous, merged_with_next, contiguous };

/// One step of pre-tokenisation, as the file says it.
struct SplitStep {
    enum class Kind : std::uint8_t {
        regex, ///< cut by `pattern`, a regular expression
        literal, ///< cut by `pattern`, as it stands
        digits, ///< cut at numeric characters (Nd, Nl, No)
        whole, ///< no cut; only a prefix space may be added
    };
    Kind kind = Kind::whole;
    std::string pattern; ///< UTF-8
    SplitBehavior behavior = SplitBehavior::isolated;
    bool invert = false; ///< cut at what does not match
    bool prefix_space = false; ///< put a space before every piece that has none
};

/// GPT-2's pattern, which ByteLevel cuts by when use_regex is set.
extern const char* const byte_level_pattern;

/// A piece of a text that is encoded by itself.
struct Piece {
    std::int32_t begin = 0; ///< UTF-16 offsets
    std::int32_t end = 0;
    bool prefix_space = false; ///< a space stands before it that is not in the text
};

/// Cuts a text into words by the steps of tokenizer.json's pre_tokenizer. Safe to use from several threads.
class PreTokenizer {
public:
    PreTokenizer() = default;
    /// Throws Error{input} where ICU cannot take a pattern, or reads a construct of it otherwise than the tokenizers
    /// library.
    explicit PreTokenizer(const std::vector<SplitStep>& steps);

    /// Pieces of `text`, ascending and disjoint. Throws Cancelled, and Error{input} where a pattern backtracks without
    /// end.
    std::vector<Piece> split(const icu::UnicodeString& text, const std::stop_token& stop) const;

private:
    struct Step {
        SplitStep step;
        std::shared_ptr<const icu::RegexPattern> pattern; ///< none for digits and whole
    };
    std::vector<Step> steps_;
};

} // namespace keepset
