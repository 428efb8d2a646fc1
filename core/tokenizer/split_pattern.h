#pragma once

#include "core/tokenizer/stop_look.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <unicode/regex.h>

namespace keepset {

/// A stretch of a text, in byte offsets: a match of a pattern, or what lies between two.
struct Span {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    bool match = false;
};

/// Millions in a long text: a vector that grows would copy them all at once, longer than a stop may wait.
using Spans = std::deque<Span>;

/// What becomes of the matches of a pre-tokenizer's pattern (tokenizer.json's "behavior").
enum class SplitBehavior : std::uint8_t { isolated, removed, merged_with_previous, merged_with_next, contiguous };

/// Neighbours are joined as the behaviour says; removed ones go. In place. Throws Cancelled.
void behave(Spans& spans, SplitBehavior behavior, StopLook& look);

/// GPT-2's pattern, which ByteLevel cuts by when use_regex is set.
extern const char* const byte_level_pattern;

/// A pattern of tokenizer.json: {"String": …} or {"Regex": …}. Cheap to copy; safe from several threads.
class SplitPattern {
public:
    SplitPattern() = default;
    static SplitPattern literal(std::string text);
    /// Throws Error{input} where ICU cannot take the expression (UTF-8), or reads a construct of it otherwise than the
    /// tokenizers library.
    static SplitPattern regex(const std::string& expression);

    const std::string& text() const { return text_; }
    const icu::RegexPattern* expression() const { return regex_.get(); }

private:
    std::string text_;
    std::shared_ptr<const icu::RegexPattern> regex_; ///< none: text_ as it stands
};

/// Looks for a pattern in the pieces of one text, from front to back.
class PatternSearch {
public:
    /// `pattern` and `text` must outlive the search. Throws Cancelled.
    PatternSearch(const SplitPattern& pattern, std::string_view text, const std::stop_token& stop);

    /// Matches and what lies between them, over [begin, end), which is not before the end of the last call. The pattern
    /// sees nothing outside. Throws Cancelled, and Error{input} where a pattern backtracks without end.
    void find(std::int64_t begin, std::int64_t end, Spans& spans);

private:
    void find_literal(std::int64_t begin, std::int64_t end, Spans& spans);
    void find_regex(std::int64_t begin, std::int64_t end, Spans& spans);
    void push(Spans& spans, const Span& span);
    void move_on();
    /// UTF-16 offset of a byte offset, and back; both move the place forward.
    std::int32_t unit_at(std::int64_t byte);
    std::int64_t byte_at(std::int32_t unit);

    const SplitPattern& pattern_;
    std::string_view text_;
    std::stop_token stop_;
    StopLook look_;
    icu::UnicodeString units_;
    std::unique_ptr<icu::RegexMatcher> matcher_;
    std::int64_t byte_ = 0; ///< of the place
    std::int32_t unit_ = 0; ///< the same place in units_
};

} // namespace keepset
