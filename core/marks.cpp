#include "core/marks.h"

#include <algorithm>

namespace keepset {

std::vector<Pin> with_pin(std::vector<Pin> pins, const Pin& added)
{
    if (added.begin >= added.end)
        return pins;
    // Those that it meets; the others stay where they are: a search may find thousands that are marked one by one.
    const auto first = std::ranges::lower_bound(pins, added.begin, {}, &Pin::end);
    const auto last = std::ranges::upper_bound(pins, added.end, {}, &Pin::begin);
    std::vector<Pin> parts { added };
    for (auto pin = first; pin != last; ++pin) { // what the new one leaves of each
        if (pin->begin < added.begin)
            parts.push_back({ pin->begin, std::min(pin->end, added.begin), pin->stays });
        if (pin->end > added.end)
            parts.push_back({ std::max(pin->begin, added.end), pin->end, pin->stays });
    }
    std::ranges::sort(parts, {}, &Pin::begin);
    std::vector<Pin> joined;
    joined.reserve(parts.size());
    for (const Pin& part : parts) {
        if (!joined.empty() && joined.back().end == part.begin && joined.back().stays == part.stays)
            joined.back().end = part.end;
        else
            joined.push_back(part);
    }
    pins.insert(pins.erase(first, last), joined.begin(), joined.end());
    return pins;
}

std::vector<PinnedSpan> spans_of(
    std::span<const Token> tokens, std::span<const Pin> pins, std::span<const PinnedSpan> before)
{
    if (tokens.empty())
        return { before.begin(), before.end() };
    std::vector<PinnedSpan> spans;
    spans.reserve(pins.size() + before.size() + 1);
    for (const PinnedSpan& span : before) {
        if (const std::int64_t end = std::min(span.byte_end, tokens.front().byte_begin); span.byte_begin < end)
            spans.push_back({ span.byte_begin, end, span.stays });
        if (const std::int64_t begin = std::max(span.byte_begin, tokens.back().byte_end); begin < span.byte_end)
            spans.push_back({ begin, span.byte_end, span.stays });
    }
    for (const Pin& pin : pins) {
        const std::int64_t begin = tokens[static_cast<std::size_t>(pin.begin)].byte_begin;
        const std::int64_t end = tokens[static_cast<std::size_t>(pin.end - 1)].byte_end;
        if (begin < end)
            spans.push_back({ begin, end, pin.stays });
    }
    std::ranges::sort(spans, {}, &PinnedSpan::byte_begin);
    return spans;
}

} // namespace keepset
