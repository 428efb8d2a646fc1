#include "core/tokenizer/split_pattern.h"

#include "core/error.h"
#include "core/tokenizer/utf16.h"
#include "core/tokenizer/utf8.h"

#include <unicode/uchar.h>

#include <algorithm>

namespace keepset {

// Source: the GPT-2 release's encoder.py; the tokenizers library cuts by the same.
const char* const byte_level_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

    [[noreturn]] void refuse_pattern(const std::string& pattern, const std::string& problem)
    {
        throw Error(ErrorKind::input, "the pattern '" + pattern + "' " + problem);
    }

    /// The library reads patterns as Ruby does, ICU as Java does. What the two read differently is refused, not
    /// guessed.
    void check_dialect(const std::string& pattern)
    {
        constexpr std::string_view different = "hHKyYONRXZG";
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            if (pattern[i] == '\\') {
                ++i;
                if (different.find(pattern[i]) != std::string_view::npos)
                    refuse_pattern(pattern, std::string("uses \\") + pattern[i] + ", which Keepset does not read.");
            } else if (pattern[i] == '(' && pattern[i + 1] == '?') {
                for (std::size_t flag = i + 2; flag < pattern.size() && u_isalpha(pattern[flag]) != 0; ++flag) {
                    if (pattern[flag] != 'i')
                        refuse_pattern(
                            pattern, std::string("sets the flag ") + pattern[flag] + ", which Keepset does not read.");
                }
            }
        }
    }

    /// End of the character class or escape that begins at `begin`; `begin` where another thing does.
    std::size_t class_end(const std::string& pattern, std::size_t begin)
    {
        std::size_t at = begin;
        int depth = 0;
        do {
            if (pattern[at] == '[')
                ++depth;
            else if (pattern[at] == ']')
                --depth;
            else if (pattern[at] == '\\')
                ++at;
            else if (depth == 0)
                return begin;
            ++at;
        } while (depth > 0 && at < pattern.size());
        const bool property
            = at < pattern.size() && pattern[at] == '{' && (pattern[at - 1] == 'p' || pattern[at - 1] == 'P');
        if (depth == 0 && pattern[begin] == '\\' && property)
            at = pattern.find('}', at) + 1;
        return depth == 0 && at <= pattern.size() && at > begin ? at : begin;
    }

    /// x+ as xx* for classes, and \s as [\s]: the same, but ICU 72 runs only [x]* in constant space, the others with an
    /// entry on its stack a character, so that a megabyte of letters or spaces would overflow it.
    std::string without_plus(const std::string& pattern)
    {
        std::string rewritten;
        const auto is = [&](std::size_t at, char character) { return at < pattern.size() && pattern[at] == character; };
        for (std::size_t at = 0; at < pattern.size();) {
            const std::size_t end = pattern[at] == '[' || pattern[at] == '\\' ? class_end(pattern, at) : at;
            if (end == at) {
                rewritten += pattern[at++];
                continue;
            }
            std::string one = pattern.substr(at, end - at);
            at = end;
            const bool repeated = is(at, '+') || is(at, '*');
            if (repeated && one.size() == 2 && std::string_view("sSdDwW").find(one[1]) != std::string_view::npos)
                one = "[" + one + "]";
            if (!is(at, '+') || is(at + 1, '?')) {
                rewritten += one;
            } else if (is(at + 1, '+')) { // possessive
                rewritten += "(?>" + one + one + "*)";
                at += 2;
            } else {
                rewritten += one + one + "*";
                at += 1;
            }
        }
        return rewritten;
    }

    void check(UErrorCode status)
    {
        if (U_FAILURE(status))
            throw Error(ErrorKind::input,
                std::string("a pattern of the tokenizer cannot be run on this text (") + u_errorName(status) + ").",
                "Take a shorter text.");
    }

    /// ICU asks these while it matches and while it looks for a match, which may be far away.
    UBool U_CALLCONV goes_on_matching(const void* stop, std::int32_t /*steps*/)
    {
        return static_cast<const std::stop_token*>(stop)->stop_requested() ? 0 : 1;
    }
    UBool U_CALLCONV goes_on_finding(const void* stop, std::int64_t /*place*/)
    {
        return static_cast<const std::stop_token*>(stop)->stop_requested() ? 0 : 1;
    }

} // namespace

void behave(Spans& spans, SplitBehavior behavior, StopLook& look)
{
    if (behavior == SplitBehavior::isolated)
        return;
    if (behavior == SplitBehavior::removed) {
        std::erase_if(spans, [&look](const Span& span) {
            look.step();
            return span.match;
        });
        return;
    }
    Spans joined;
    bool previous_match = false;
    for (const Span& span : spans) {
        look.step();
        const bool join = behavior == SplitBehavior::contiguous ? span.match == previous_match
            : behavior == SplitBehavior::merged_with_next       ? previous_match && !span.match
                                                                : span.match && !previous_match;
        if (join && !joined.empty())
            joined.back().end = span.end;
        else
            joined.push_back(span);
        previous_match = span.match;
    }
    spans = std::move(joined);
}

SplitPattern SplitPattern::literal(std::string text)
{
    SplitPattern pattern;
    pattern.text_ = std::move(text);
    return pattern;
}

SplitPattern SplitPattern::regex(const std::string& expression)
{
    check_dialect(expression);
    SplitPattern pattern;
    pattern.text_ = expression;
    UErrorCode status = U_ZERO_ERROR;
    UParseError place {};
    // As in Ruby, ^ and $ are those of a line, and a line ends with \n only.
    pattern.regex_.reset(icu::RegexPattern::compile(
        icu::UnicodeString::fromUTF8(without_plus(expression)), UREGEX_MULTILINE | UREGEX_UNIX_LINES, place, status));
    if (U_FAILURE(status))
        refuse_pattern(
            expression, std::string("cannot be read as a regular expression (") + u_errorName(status) + ").");
    return pattern;
}

PatternSearch::PatternSearch(const SplitPattern& pattern, std::string_view text, const std::stop_token& stop)
    : pattern_(pattern)
    , text_(text)
    , stop_(stop)
    , look_(stop)
{
    if (pattern.expression() == nullptr)
        return;
    units_ = utf16_of(text, look_);
    UErrorCode status = U_ZERO_ERROR;
    matcher_.reset(pattern.expression()->matcher(units_, status));
    if (U_FAILURE(status))
        throw Error(ErrorKind::memory, std::string("no regular expression matcher: ") + u_errorName(status) + ".");
}

void PatternSearch::find(std::int64_t begin, std::int64_t end, Spans& spans)
{
    if (matcher_)
        find_regex(begin, end, spans);
    else
        find_literal(begin, end, spans);
}

void PatternSearch::push(Spans& spans, const Span& span)
{
    look_.step();
    spans.push_back(span);
}

void PatternSearch::find_literal(std::int64_t begin, std::int64_t end, Spans& spans)
{
    const std::string_view text = text_.substr(0, static_cast<std::size_t>(end));
    const auto size = static_cast<std::int64_t>(pattern_.text().size());
    std::int64_t done = begin;
    for (;;) {
        const std::size_t found = text.find(pattern_.text(), static_cast<std::size_t>(done));
        if (found == std::string_view::npos)
            break;
        const auto from = static_cast<std::int64_t>(found);
        if (done < from)
            push(spans, { done, from, false });
        push(spans, { from, from + size, true });
        done = from + size;
    }
    if (done < end)
        push(spans, { done, end, false });
}

void PatternSearch::find_regex(std::int64_t begin, std::int64_t end, Spans& spans)
{
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t first = unit_at(begin);
    const std::int64_t begin_byte = byte_;
    const std::int32_t first_unit = unit_;
    const std::int32_t last = unit_at(end);
    byte_ = begin_byte;
    unit_ = first_unit;
    matcher_->setMatchCallback(&goes_on_matching, &stop_, status);
    matcher_->setFindProgressCallback(&goes_on_finding, &stop_, status);
    matcher_->region(first, last, status);
    std::int64_t done = begin;
    bool any = false;
    while (U_SUCCESS(status) && matcher_->find(status)) {
        const std::int64_t from = byte_at(matcher_->start(status));
        const std::int64_t to = byte_at(matcher_->end(status));
        if (any && from == to && from == done)
            continue; // The library takes no empty match right behind a match.
        if (done < from)
            push(spans, { done, from, false });
        push(spans, { from, to, true });
        done = to;
        any = true;
    }
    if (status == U_REGEX_STOPPED_BY_CALLER)
        throw Cancelled {};
    check(status);
    if (done < end)
        push(spans, { done, end, false });
}

/// The place moves behind the character that begins there.
void PatternSearch::move_on()
{
    look_.step();
    const std::size_t length = utf8_length(text_[static_cast<std::size_t>(byte_)]);
    byte_ += static_cast<std::int64_t>(length);
    unit_ += length == 4 ? 2 : 1;
}

std::int32_t PatternSearch::unit_at(std::int64_t byte)
{
    while (byte_ < byte)
        move_on();
    return unit_;
}

std::int64_t PatternSearch::byte_at(std::int32_t unit)
{
    while (unit_ < unit)
        move_on();
    return byte_;
}

} // namespace keepset
