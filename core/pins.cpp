#include "core/pins.h"

#include "core/error.h"
#include "core/words.h"

#include <algorithm>
#include <charconv>

namespace keepset {

namespace {

    std::int64_t byte_in(std::string_view text, const std::string& pin)
    {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < 0)
            throw Error(ErrorKind::usage, "'" + pin + "' is not a span to pin.",
                "Write bytes of the text as BEGIN-END, such as 120-180, and !BEGIN-END for what must go.");
        return value;
    }

} // namespace

std::vector<PinnedSpan> parse_pins(std::string_view text)
{
    std::vector<PinnedSpan> spans;
    if (trimmed(text).empty())
        return spans;
    for (const std::string& pin : split_outside_parentheses(text, ',')) {
        PinnedSpan span;
        std::string_view rest = pin;
        span.stays = !rest.starts_with('!');
        rest.remove_prefix(span.stays ? 0 : 1);
        const auto dash = rest.find('-');
        span.byte_begin = byte_in(rest.substr(0, dash), pin);
        span.byte_end = byte_in(dash == std::string_view::npos ? std::string_view() : rest.substr(dash + 1), pin);
        if (span.byte_end <= span.byte_begin)
            throw Error(ErrorKind::usage, "The span to pin '" + pin + "' is empty.",
                "Its end must lie behind its beginning: the byte at the end is not part of it.");
        spans.push_back(span);
    }
    return spans;
}

std::string spelled(std::span<const PinnedSpan> spans)
{
    std::string text;
    for (const PinnedSpan& span : spans)
        text += (text.empty() ? "" : ",") + std::string(span.stays ? "" : "!") + std::to_string(span.byte_begin) + "-"
            + std::to_string(span.byte_end);
    return text;
}

std::vector<Pin> pins_in(std::span<const Token> tokens, std::span<const PinnedSpan> spans)
{
    std::vector<Pin> pins;
    for (const PinnedSpan& span : spans) {
        // Byte ranges ascend; those without bytes lie between others.
        const auto first = std::ranges::partition_point(
            tokens, [&](const Token& token) { return token.byte_end <= span.byte_begin; });
        const auto last = std::partition_point(
            first, tokens.end(), [&](const Token& token) { return token.byte_begin < span.byte_end; });
        if (first < last)
            pins.push_back({ first - tokens.begin(), last - tokens.begin(), span.stays });
    }
    return pins;
}

} // namespace keepset
